package fuzz

import (
	"math/bits"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// What events do.

func (w *World) doTurn(e Event) {
	if int(e.On) >= len(w.drivers) {
		return
	}
	d := w.drivers[e.On]
	for range min(times(e.A), 64) {
		if w.failure == nil && w.wants(d) {
			w.turn(d)
		}
	}
}

// doSend sends a word of the dictionary, some times over; what is beyond the
// dictionary is single bytes.
func (w *World) doSend(c *conn, e Event) {
	if c.peer == nil {
		return
	}
	word := w.spec.said(e.A, false)
	w.words = w.words[:0]
	for range min(int(e.B)+1, 1<<12) {
		w.words = append(w.words, word...)
		if len(w.words) > 1<<18 {
			break
		}
	}
	w.send(c, w.words)
}

func (w *World) doFinish(c *conn, _ Event) {
	if c.peer != nil && !c.peer.shutOut {
		w.say(c.number, "ends its direction")
		w.finish(c.peer)
	}
}

func (w *World) doPace(c *conn, e Event) {
	bytes := int(e.A)
	if e.A == 1<<16-1 {
		bytes = eager
	}
	w.setPace(c, bytes, int64(e.B)*int64(time.Millisecond))
}

func (w *World) doJump(e Event) {
	if e.span() > 0 {
		w.strikes(opJump, nil)
	}
	w.clock(w.now + int64(e.span()))
	w.jumped = w.now
}

// mostAtOnce is how often one event does a thing.
const mostAtOnce = 256

func (w *World) doAct(e Event) {
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

func (w *World) doWindow(c *conn, e Event) {
	if c.peer != nil {
		c.peer.window, c.peer.queue = max(1, int(e.A)), int(e.B)
	}
}

func (w *World) doSplit(c *conn, e Event) {
	c.split, c.splits = times(e.A), times(e.B)
}

func (s *sock) doShortRead(e Event)  { s.armed.readSize, s.armed.reads = times(e.A), times(e.B) }
func (s *sock) doShortWrite(e Event) { s.armed.writeSize, s.armed.writes = times(e.A), times(e.B) }

func (d *simDriver) doAcceptFails(e Event) {
	d.armed.acceptBy, d.armed.accepts = acceptErrors[int(e.A)%len(acceptErrors)], times(e.B)
}

func (d *simDriver) doConnectFails(e Event) {
	d.armed.connect, d.armed.connects = connectRefused+int(e.A)%2, times(e.B)
}

// doSignal makes a signal come that machines of a loop asked for, or all of them,
// some times over.
func (w *World) doSignal(e Event) {
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
