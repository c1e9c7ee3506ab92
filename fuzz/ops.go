package fuzz

import (
	"math/bits"
	"time"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// does has what each event of a trace does.
var does [trace.NumOps]func(*World, trace.Event)

func init() { // the rows call what reads them
	nothing := func(*World, trace.Event) {}
	does = [trace.NumOps]func(*World, trace.Event){
		trace.Settle:        nothing,
		trace.Turn:          (*World).doTurn,
		trace.Advance:       func(w *World, e trace.Event) { w.advance(e.Span()) },
		trace.Dial:          onAConn(func(w *World, c *conn, e trace.Event) { w.dial(c, int(e.A)) }),
		trace.Send:          onAConn((*World).doSend),
		trace.Finish:        onAConn((*World).doFinish),
		trace.Close:         onAConn(func(w *World, c *conn, _ trace.Event) { w.hangUp(c, false) }),
		trace.Reset:         onAConn(func(w *World, c *conn, _ trace.Event) { w.hangUp(c, true) }),
		trace.Pace:          onAConn((*World).doPace),
		trace.Act:           (*World).doAct,
		trace.Leave:         func(w *World, e trace.Event) { w.leave(int(e.On)) },
		trace.Limit:         nothing, // see limit
		trace.ShortRead:     onASock((*sock).doShortRead),
		trace.ShortWrite:    onASock((*sock).doShortWrite),
		trace.BlockRead:     onASock(func(s *sock, e trace.Event) { s.armed.readBlocks = min(trace.Times(e.A), 1000) }),
		trace.BlockWrite:    onASock(func(s *sock, e trace.Event) { s.armed.writeBlocks = min(trace.Times(e.A), 1000) }),
		trace.Window:        onAConn((*World).doWindow),
		trace.Split:         onAConn((*World).doSplit),
		trace.Spurious:      onAConn(func(w *World, c *conn, e trace.Event) { w.spurious(c, untrue(e.A)) }),
		trace.Stale:         onAConn(func(w *World, c *conn, e trace.Event) { w.stale(c, untrue(e.A)) }),
		trace.Permute:       onADriver(func(d *driver, e trace.Event) { d.armed.seed = uint32(e.A) }),
		trace.Few:           onADriver(func(d *driver, e trace.Event) { d.armed.most = trace.Times(e.A) }),
		trace.Late:          onADriver(func(d *driver, e trace.Event) { d.armed.late = int64(e.A) * 1000 }),
		trace.AcceptFails:   onADriver((*driver).doAcceptFails),
		trace.ConnectFails:  onADriver((*driver).doConnectFails),
		trace.Jump:          (*World).doJump,
		trace.Signal:        (*World).doSignal,
		trace.Datagram:      (*World).doDatagram,
		trace.DatagramFails: onADriver((*driver).doDatagramFails),
		trace.Abrupt:        onASock(func(s *sock, e trace.Event) { s.armed.calls, s.armed.what = trace.Times(e.A), int(e.B) }),
		trace.Scarce:        nothing, // see limit
	}
}

func onAConn(do func(*World, *conn, trace.Event)) func(*World, trace.Event) {
	return func(w *World, e trace.Event) {
		if int(e.On) < len(w.conns) {
			do(w, &w.conns[e.On], e)
		}
	}
}

func onASock(do func(*sock, trace.Event)) func(*World, trace.Event) {
	return onAConn(func(_ *World, c *conn, e trace.Event) {
		if s := c.machineEnd(); s != nil {
			do(s, e)
		}
	})
}

func onADriver(do func(*driver, trace.Event)) func(*World, trace.Event) {
	return func(w *World, e trace.Event) {
		if int(e.On) < len(w.drivers) {
			do(w.drivers[e.On], e)
		}
	}
}

// limit lowers the limits of loops as the first Limit and the first Scarce of a trace say.
func limit(tr trace.Trace, cfg *reactor.Config) {
	for _, e := range tr {
		if e.Op == trace.Limit {
			cfg.Slots = min(cfg.Slots, max(1, int(e.A)))
			cfg.Steps = max(1, int(e.B)%64)
			break
		}
	}
	for _, e := range tr {
		if e.Op == trace.Scarce {
			cfg.Buffers = (8 + int(e.A)) << 10
			if e.B > 0 {
				cfg.Timers = int(e.B)
			}
			break
		}
	}
}

func (w *World) doTurn(e trace.Event) {
	if int(e.On) >= len(w.drivers) {
		return
	}
	d := w.drivers[e.On]
	for range min(trace.Times(e.A), 64) {
		if w.failure == nil && w.wants(d) {
			w.turn(d)
		}
	}
}

// doSend sends a word of the dictionary, some times over; what is beyond the
// dictionary is single bytes.
func (w *World) doSend(c *conn, e trace.Event) {
	if c.peer == nil {
		return
	}
	word := trace.Dictionary(w.spec.Dict).Word(e.A)
	w.words = w.words[:0]
	for range min(int(e.B)+1, 1<<12) {
		w.words = append(w.words, word...)
		if len(w.words) > 1<<18 {
			break
		}
	}
	w.send(c, w.words)
}

func (w *World) doFinish(c *conn, _ trace.Event) {
	if c.peer != nil && !c.peer.shutOut {
		w.say(c.number, "ends its direction")
		w.finish(c.peer)
	}
}

func (w *World) doPace(c *conn, e trace.Event) {
	bytes := int(e.A)
	if e.A == 1<<16-1 {
		bytes = eager
	}
	w.setPace(c, bytes, int64(e.B)*int64(time.Millisecond))
}

func (w *World) doJump(e trace.Event) {
	if e.Span() > 0 {
		w.strikes(trace.Jump, nil)
	}
	w.clock(w.now + int64(e.Span()))
	w.jumped = w.now
}

// mostAtOnce is how often one event does a thing.
const mostAtOnce = 256

func (w *World) doAct(e trace.Event) {
	if len(w.actions) > 0 && int(e.On) < len(w.actions) {
		w.note(noteMove, 1<<63|uint64(e.On), uint64(e.A))
		w.say(-1, w.actions[e.On].name)
		w.asks = asked{"action", w.actions[e.On].name}
		for range min(int(e.B)+1, mostAtOnce) {
			w.actions[e.On].do(int(e.A))
		}
		w.asks = asked{}
	}
}

func (w *World) leave(loop int) {
	if loop < len(w.drivers) && !w.drivers[loop].over {
		w.say(-1, "shut down")
		w.steps[loop].Leave()
	}
}

func (w *World) doWindow(c *conn, e trace.Event) {
	if c.peer != nil {
		c.peer.window, c.peer.queue = max(1, int(e.A)), int(e.B)
	}
}

func (w *World) doSplit(c *conn, e trace.Event) {
	c.split, c.splits = trace.Times(e.A), trace.Times(e.B)
}

func (s *sock) doShortRead(e trace.Event) {
	s.armed.readSize, s.armed.reads = trace.Times(e.A), trace.Times(e.B)
}
func (s *sock) doShortWrite(e trace.Event) {
	s.armed.writeSize, s.armed.writes = trace.Times(e.A), trace.Times(e.B)
}

func (d *driver) doAcceptFails(e trace.Event) {
	d.armed.acceptBy, d.armed.accepts = acceptErrors[int(e.A)%len(acceptErrors)], trace.Times(e.B)
}

func (d *driver) doConnectFails(e trace.Event) {
	d.armed.connect, d.armed.connects = connectRefused+int(e.A)%2, trace.Times(e.B)
}

// doSignal makes a signal come that machines of a loop asked for, or all of them,
// some times over.
func (w *World) doSignal(e trace.Event) {
	if int(e.On) >= len(w.drivers) || w.drivers[e.On].caught == 0 {
		return
	}
	set := w.drivers[e.On].caught
	if all := bits.OnesCount64(uint64(set)); e.A < 1<<16-1 {
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

// untrue is readiness that an event may claim wrongly: kernels do not claim that a
// connection is over which is not.
func untrue(bits uint16) poll.Ready {
	if r := poll.Ready(bits) & (poll.Readable | poll.Writable); r != 0 {
		return r
	}
	return poll.Readable | poll.Writable
}
