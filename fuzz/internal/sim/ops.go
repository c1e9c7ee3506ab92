package sim

import (
	"math/bits"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// do has what each event of a trace does.
var do [trace.NumOps]func(*World, trace.Event)

func init() { // the rows call what reads them
	nothing := func(*World, trace.Event) {}
	do = [trace.NumOps]func(*World, trace.Event){
		trace.Settle:       nothing,
		trace.Turn:         (*World).doTurn,
		trace.Advance:      func(w *World, e trace.Event) { w.Advance(e.Span()) },
		trace.Dial:         onConn(func(w *World, c *Conn, e trace.Event) { w.dial(c, int(e.A)) }),
		trace.Send:         onConn((*World).doSend),
		trace.Finish:       onConn((*World).doFinish),
		trace.Close:        onConn(func(w *World, c *Conn, _ trace.Event) { w.hangUp(c, false) }),
		trace.Reset:        onConn(func(w *World, c *Conn, _ trace.Event) { w.hangUp(c, true) }),
		trace.Pace:         onConn((*World).doPace),
		trace.Act:          (*World).doAct,
		trace.Leave:        func(w *World, e trace.Event) { w.leave(int(e.On)) },
		trace.Limit:        nothing, // see limit
		trace.ShortRead:    onArmed(func(a *armed, e trace.Event) { a.readSize, a.reads = trace.Times(e.A), trace.Times(e.B) }),
		trace.ShortWrite:   onArmed(func(a *armed, e trace.Event) { a.writeSize, a.writes = trace.Times(e.A), trace.Times(e.B) }),
		trace.BlockRead:    onArmed(func(a *armed, e trace.Event) { a.readBlocks = min(trace.Times(e.A), mostBlocks) }),
		trace.BlockWrite:   onArmed(func(a *armed, e trace.Event) { a.writeBlocks = min(trace.Times(e.A), mostBlocks) }),
		trace.Window:       onConn((*World).doWindow),
		trace.Split:        onConn((*World).doSplit),
		trace.Spurious:     onConn(func(w *World, c *Conn, e trace.Event) { w.injectSpurious(c, claimed(e.A)) }),
		trace.Stale:        onConn(func(w *World, c *Conn, e trace.Event) { w.injectStale(c, claimed(e.A)) }),
		trace.Permute:      onLoop(func(a *armedLoop, e trace.Event) { a.seed = uint32(e.A) }),
		trace.Few:          onLoop(func(a *armedLoop, e trace.Event) { a.most = trace.Times(e.A) }),
		trace.Late:         onLoop(func(a *armedLoop, e trace.Event) { a.late = int64(e.A) * int64(time.Microsecond) }),
		trace.AcceptFails:  onLoop(func(a *armedLoop, e trace.Event) { a.acceptErr, a.accepts = AcceptError(e.A), trace.Times(e.B) }),
		trace.ConnectFails: onLoop(func(a *armedLoop, e trace.Event) { a.connect, a.connects = connectRefused+int(e.A)%2, trace.Times(e.B) }),
		trace.Jump:         (*World).doJump,
		trace.Signal:       (*World).doSignal,
		trace.Datagram:     (*World).doDatagram,
		trace.DatagramFails: onLoop(func(a *armedLoop, e trace.Event) {
			a.datagramsFate, a.datagrams = int(e.A)%trace.NumDatagramFates, trace.Times(e.B)
		}),
		trace.Abrupt:     onArmed(func(a *armed, e trace.Event) { a.calls, a.what = trace.Times(e.A), int(e.B) }),
		trace.Scarce:     nothing, // see limit
		trace.Repeat:     (*World).doRepeat,
		trace.WorkWaits:  (*World).doWorkWaits,
		trace.Interleave: (*World).doInterleave,
		trace.ConnectWaits: onLoop(func(a *armedLoop, e trace.Event) {
			a.connectDelay, a.connectWaits = milliseconds(e.A), trace.Times(e.B)
		}),
		trace.LookUpWaits: onLoop(func(a *armedLoop, e trace.Event) { a.lookUpDelay, a.lookUpWaits = milliseconds(e.A), trace.Times(e.B) }),
		trace.LookUpFails: onLoop(func(a *armedLoop, e trace.Event) {
			a.lookUpHow, a.lookUpFails = int(e.A)%trace.NumLookUpFates, trace.Times(e.B)
		}),
		trace.AnswerWaits: onConn((*World).doAnswerWaits),
	}
}

func onConn(do func(*World, *Conn, trace.Event)) func(*World, trace.Event) {
	return func(w *World, e trace.Event) {
		if int(e.On) < len(w.conns) {
			do(w, &w.conns[e.On], e)
		}
	}
}

// onArmed arms a fault of a connection's end that a machine holds.
func onArmed(do func(*armed, trace.Event)) func(*World, trace.Event) {
	return onConn(func(_ *World, c *Conn, e trace.Event) {
		if s := c.machineEnd(); s != nil {
			do(&s.armed, e)
		}
	})
}

// onLoop arms a fault of a loop.
func onLoop(do func(*armedLoop, trace.Event)) func(*World, trace.Event) {
	return func(w *World, e trace.Event) {
		if int(e.On) < len(w.drivers) {
			do(&w.drivers[e.On].armed, e)
		}
	}
}

// milliseconds returns an argument as a time on the world's clock, at least 1 ms.
func milliseconds(arg uint16) int64 { return int64(trace.Times(arg)) * int64(time.Millisecond) }

// limit lowers the limits of a loop as the first Limit and the first Scarce of the trace
// say. They are those beside what Setup needs, and not above those of the Spec.
func (w *World) limit(loop int, cfg *reactor.Config) {
	if e := limits(w.trace, trace.Limit); e != nil {
		cfg.Slots = min(cfg.Slots, w.own[loop].Machines+max(1, int(e.A)))
		cfg.Steps = lower(cfg.Steps, max(1, int(e.B)%64))
	}
	if e := limits(w.trace, trace.Scarce); e != nil {
		cfg.Buffers = w.scarce(e, loop, cfg.Buffers)
		if e.B > 0 {
			cfg.Timers = lower(cfg.Timers, w.own[loop].TimersArmed+int(e.B))
		}
	}
	if limits(w.trace, trace.Repeat) != nil {
		roomToGrow(cfg)
	}
}

// limits returns the first event of a trace with an operation; nil if there is none.
func limits(tr trace.Trace, op trace.Op) *trace.Event {
	for i := range tr {
		if tr[i].Op == op {
			return &tr[i]
		}
	}
	return nil
}

// lower returns the lower one of a limit of reactor.Config, for which 0 is a default that
// is high, and another one.
func lower(limit, other int) int {
	if limit == 0 {
		return other
	}
	return min(limit, other)
}

// How much one event does at most.
const (
	mostTurns  = 64
	mostWords  = 1 << 12
	mostBytes  = 1 << 18
	mostAtOnce = 256 // calls of an action, or signals
	mostBlocks = 1000
)

func (w *World) doTurn(e trace.Event) {
	if int(e.On) >= len(w.drivers) {
		return
	}
	d := w.drivers[e.On]
	for range min(trace.Times(e.A), mostTurns) {
		if !w.halted && w.wantsTurn(d) {
			w.turn(d)
		}
	}
}

func (w *World) doSend(c *Conn, e trace.Event) {
	if c.peer == nil || !w.cfg.Roles.Allow(c.Addr, w.cfg.Dict, e.A) {
		return
	}
	word := w.cfg.Dict.Word(e.A)
	w.word = w.word[:0]
	for range min(int(e.B)+1, mostWords) {
		w.word = append(w.word, word...)
		if len(w.word) > mostBytes {
			break
		}
	}
	w.send(c, w.word)
}

func (w *World) doFinish(c *Conn, _ trace.Event) {
	if c.peer != nil && !c.peer.shutOut {
		w.observeConn(Finishes, c.Number, nil)
		w.finish(c.peer)
	}
}

func (w *World) doPace(c *Conn, e trace.Event) {
	bytes := int(e.A)
	if e.A == trace.MaxArg {
		bytes = eager
	}
	w.setPace(c, bytes, int64(e.B)*int64(time.Millisecond))
}

func (w *World) doJump(e trace.Event) {
	if e.Span() > 0 {
		w.struck(trace.Jump, nil)
	}
	w.setClock(w.now + int64(e.Span()))
	w.jumpedTo = w.now
}

func (w *World) doAct(e trace.Event) {
	if int(e.On) >= len(w.actions) {
		return
	}
	a := &w.actions[e.On]
	w.note(noteMove, 1<<63|uint64(e.On), uint64(e.A))
	o := w.observation(ActionHappens)
	o.Name = a.name
	w.emit(o)
	w.calling = &a.caller
	for range min(int(e.B)+1, mostAtOnce) {
		a.do(int(e.A))
	}
	w.calling = nil
}

func (w *World) leave(loop int) {
	if loop < len(w.drivers) && !w.drivers[loop].over {
		w.observeLoop(LeaveAsked, loop, 0, 0)
		w.steps[loop].Leave()
	}
}

func (w *World) doWindow(c *Conn, e trace.Event) {
	if c.peer != nil {
		c.peer.window, c.peer.queue, c.peer.cut = max(1, int(e.A)), int(e.B), 0
		if s := c.peer.other; s != nil {
			s.tellOfRoom()
		}
	}
}

func (w *World) doSplit(c *Conn, e trace.Event) {
	c.split, c.splits = trace.Times(e.A), trace.Times(e.B)
}

// doSignal makes signals that machines of a loop asked for arrive: one of them, or all,
// a number of times.
func (w *World) doSignal(e trace.Event) {
	if int(e.On) >= len(w.drivers) || w.drivers[e.On].caught == 0 {
		return
	}
	set := w.drivers[e.On].caught
	if all := bits.OnesCount64(uint64(set)); e.A < trace.MaxArg {
		for range int(e.A) % all {
			set &= set - 1
		}
		set &= -set
	}
	w.note(noteMove, 1<<62|uint64(e.On), uint64(set))
	for range min(int(e.B)+1, mostAtOnce) {
		w.Signal(int(e.On), set)
	}
}

// claimed returns the readiness that an untrue event claims. A kernel does not claim
// that a connection is over while it is not.
func claimed(bits uint16) poll.Ready {
	if r := poll.Ready(bits) & (poll.Readable | poll.Writable); r != 0 {
		return r
	}
	return poll.Readable | poll.Writable
}
