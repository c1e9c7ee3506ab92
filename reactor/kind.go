package reactor

import (
	"errors"
	"fmt"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/slab"
)

// These names are used in tables and handlers. They are those of package fsm, which
// documents them: go doc github.com/stator-go/stator/fsm.Row.
type (
	State     = fsm.State
	Ready     = fsm.Ready
	Port      = fsm.Port
	Timer     = fsm.Timer
	TimerSpec = fsm.TimerSpec
	Fired     = fsm.Fired
	Down      = fsm.Down
	Token     = slab.Token

	Row[M, Msg any]   = fsm.Row[M, *Context[Msg], Msg]
	Table[M, Msg any] = fsm.Table[M, *Context[Msg], Msg]
)

// None is the message type of a kind that takes no messages.
type None struct{}

// Kind is a checked table, for machines of type M that take messages of type Msg. It is
// immutable. Any number of loops may use it at the same time.
type Kind[M, Msg any] struct {
	name        string
	opt         Options
	table       Table[M, Msg]
	rows        []Row[M, Msg] // resolved
	info        []rowInfo
	handlesDown bool // every state has an OnDown handler
	full        fullErrors
}

// fullErrors say which limit a read or write has met. They are made once, so that a refusal
// does not allocate.
type fullErrors struct{ writeBuffer, buffers, input error }

// rowInfo is the part of a resolved row that does not depend on types.
type rowInfo struct {
	name                string
	wait                fsm.Ready
	within, idle, stall fsm.Deadline
	fail, shutdown      State
	to                  fsm.States
	defers              bool
	timeouts            map[Event]error // the reason that each deadline gives
}

// NewKind checks a table and makes a kind of it. The error names every state with
// something wrong, and what is wrong with it. Name is for errors, statistics and diagrams.
func NewKind[M, Msg any](name string, opt Options, rows Table[M, Msg]) (*Kind[M, Msg], error) {
	if name == "" {
		return nil, errors.New("reactor: a kind without a name: want one, for errors and diagrams")
	}
	if err := opt.check(); err != nil {
		return nil, fmt.Errorf("reactor: kind %q: %w", name, err)
	}
	if err := fsm.Check(rows, fsm.Machine{Start: opt.Start, Ports: len(opt.Ports), Timers: opt.Timers, Messages: takesMessages[Msg]()}); err != nil {
		return nil, fmt.Errorf("reactor: kind %q: %w", name, err)
	}
	k := &Kind[M, Msg]{name: name, opt: opt, table: append(Table[M, Msg](nil), rows...)}
	k.handlesDown = true
	k.full.writeBuffer = fmt.Errorf("reactor: Options.WriteBuffer of %s: %d bytes hold no more: %w", name, opt.WriteBuffer, ErrFull)
	k.full.buffers = fmt.Errorf("reactor: output of %s: Config.Buffers: %w", name, ErrFull)
	k.full.input = fmt.Errorf("reactor: input of %s: Config.Buffers: %w", name, ErrFull)
	for s := range rows {
		r := k.table.Resolve(State(s))
		k.rows = append(k.rows, r)
		k.handlesDown = k.handlesDown && (r.OnDown != nil || s == int(fsm.Any))
		k.info = append(k.info, rowInfo{
			name: k.table.NameOf(State(s)), timeouts: timeoutErrors(k.table.NameOf(State(s))), wait: r.Wait, within: r.Within, idle: r.Idle, stall: r.Stall,
			fail: r.Fail, shutdown: r.Shutdown, defers: r.Defer,
			to: k.table.Edges(State(s)) | 1<<s,
		})
	}
	return k, nil
}

// Must returns k, and panics if err is not nil: reactor.Must(reactor.NewKind(...)).
func Must[M, Msg any](k *Kind[M, Msg], err error) *Kind[M, Msg] {
	if err != nil {
		panic(err)
	}
	return k
}

func takesMessages[Msg any]() bool {
	_, none := any(*new(Msg)).(None)
	return !none
}

// Name returns the kind's name.
func (k *Kind[M, Msg]) Name() string { return k.name }

// Options returns the kind's options, with defaults filled in.
func (k *Kind[M, Msg]) Options() Options { return k.opt }

// Table returns the kind's table, which must not be changed.
func (k *Kind[M, Msg]) Table() Table[M, Msg] { return k.table }

// Mermaid returns the table as a Mermaid state diagram.
func (k *Kind[M, Msg]) Mermaid() string {
	return fsm.Mermaid(k.table, k.opt.Start, fsm.Drawing{Ports: k.opt.Ports})
}

// Spawn makes a machine that starts as a copy of m. Its OnEnter runs in this turn of the
// loop or in the next. The errors are those of Host.
func (k *Kind[M, Msg]) Spawn(at Host, m M) (Ref[Msg], error) {
	var ref Ref[Msg]
	err := at.onLoop(func(l *Loop) error {
		s, err := storeOf(l, k)
		if err != nil {
			return err
		}
		x, err := s.spawn(&m)
		if err == nil {
			ref = s.ref(x)
		}
		return err
	})
	if err != nil {
		return ref, fmt.Errorf("reactor: spawn %s: %w", k.name, err)
	}
	return ref, nil
}

// Ref returns the address of the machine that has a token. The error is ErrForeign for
// the token of another loop, ErrStale if the machine has ended, ErrOtherKind if it is not of
// this kind, or one of Host.
func (k *Kind[M, Msg]) Ref(at Host, t Token) (Ref[Msg], error) {
	var ref Ref[Msg]
	err := at.onLoop(func(l *Loop) error {
		if t.Owner() != l.id {
			return ErrForeign
		}
		s, err := storeOf(l, k)
		if err != nil {
			return err
		}
		h := l.live(t)
		if h == nil {
			return ErrStale
		}
		if l.stores[h.kind] != &s.base {
			return fmt.Errorf("%w: %s", ErrOtherKind, l.stores[h.kind].name)
		}
		ref = s.ref(t.Index())
		return nil
	})
	if err != nil {
		return ref, fmt.Errorf("reactor: %s at %v: %w", k.name, t, err)
	}
	return ref, nil
}
