package reactor

import (
	"errors"
	"fmt"
	"log"
	"runtime"
)

// recovered takes the panic, or Goexit, of a handler: phases will end its machine. A panic of
// the loop's own goes on.
func (l *Loop) recovered() {
	if l.turn.finished || l.call.machine == 0 {
		return // no panic, or one that is not a handler's: it goes on
	}
	v := recover()
	h := l.slots.At(l.call.machine - 1)
	b := l.stores[h.kind]
	l.call.crashed, l.call.machine = l.call.machine, 0
	stack := make([]byte, 8<<10)
	stack = stack[:runtime.Stack(stack, false)]
	p := &PanicError{Kind: b.name, State: b.rows[h.state].name, Value: v, Stack: stack}
	if l.call.panic == nil {
		l.stats.panics++
		l.call.panic = p
	} else { // of an exit handler, which runs because of the first one: that is the reason to look at
		l.call.panic = errors.Join(l.call.panic, p)
	}
}

// endCrashed ends the machine whose handler panicked. Its output is dropped. It is called by
// phases, as OnExit may panic, too; that is not called again then.
func (l *Loop) endCrashed() {
	x := l.call.crashed - 1
	l.call.crashed, l.call.peeked = 0, 0
	h := l.slots.At(x)
	if h.flags&mStopping == 0 {
		l.call.reason = l.call.panic
		h.flags |= mCut
		b := l.stores[h.kind]
		for p := Port(0); uint32(p) < b.nports; p++ {
			l.dropOutput(b.port(h, p))
		}
		l.stop(x, h)
	}
	if h.flags&mDead == 0 {
		l.end(x, h)
	}
	l.call.panic = nil
}

// PanicError is the reason of a machine that its own panic has ended. After a Goexit, Value is
// nil.
type PanicError struct {
	Kind  string // of the machine's kind
	State string // in which the handler ran
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("reactor: %s: runtime.Goexit in state %q", e.Kind, e.State)
	}
	return fmt.Sprintf("reactor: %s: panic in state %q: %v", e.Kind, e.State, e.Value)
}

// Unwrap returns the value of the panic, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// logBug writes to package log the end of a machine that is a mistake of its handlers: a
// panic, a transition that the table does not declare, or transitions in a circle. It is
// called if neither Options.OnEnd nor an Observer hears of the end.
func logBug(kind string, reason error) {
	if all, ok := reason.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			logBug(kind, err)
		}
		return
	}
	switch p, ok := reason.(*PanicError); {
	case ok:
		log.Printf("%v\n%s", p, p.Stack)
	case errors.Is(reason, ErrEdge):
		log.Print(reason)
	case errors.Is(reason, ErrSpin), errors.Is(reason, ErrEnterLoop):
		log.Printf("reactor: %s: a machine was ended: %v", kind, reason)
	}
}
