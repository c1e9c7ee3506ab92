package sim

import "github.com/stator-go/stator/fuzz/trace"

// Backend is a server that machines dial: a peer that answers by itself. It lasts for one
// connection.
type Backend interface {
	// Greets returns what the server sends first.
	Greets() []byte
	// Answers returns the answers to the next bytes that a machine sent, and whether the
	// server closes the connection behind them.
	Answers(got []byte) (reply []byte, over bool)
}

// backendPeer is the peer of a connection to a Backend. What it sends waits for room in the
// machine's kernel. Events of the trace make it slow, cut its answers into pieces, send bytes
// of their own, and end the connection, as for any peer.
type backendPeer struct {
	Backend
	reply []byte
	over  bool // the connection is closed behind reply
	late  bool // a fault holds reply back, and what is appended to it
	slow  slowness
}

// slowness is how a fault delays the next replies.
type slowness struct {
	times int
	delay int64 // forever: until faults cease
}

func (w *World) beginBackend(c *Conn) {
	if w.cfg.Backends == nil {
		return
	}
	if b := w.cfg.Backends(c.Addr); b != nil {
		w.found.Backends = true
		c.backend = &backendPeer{Backend: b, slow: w.slow}
		w.slow = slowness{}
		w.backendSays(c, b.Greets(), false)
	}
}

// doAnswerWaits makes the next replies of a backend wait. If the connection has no backend, or
// its machine has closed it, they are those of the next connection that has one.
func (w *World) doAnswerWaits(c *Conn, e trace.Event) {
	slow := &w.slow
	if c.backend != nil && c.machineEnd() != nil {
		slow = &c.backend.slow
	}
	*slow = slowness{trace.Times(e.B), milliseconds(e.A)}
	if e.A == trace.MaxArg {
		slow.delay = forever
	}
}

// keepSlow has the next connection delayed, if the one that ends was to be and sent too little.
func (w *World) keepSlow(c *Conn) {
	if b := c.backend; b != nil && b.slow.times > 0 {
		w.slow, b.slow = b.slow, slowness{}
	}
}

func (w *World) backendGets(c *Conn, b []byte) {
	if !c.backend.over {
		reply, over := c.backend.Answers(b)
		w.backendSays(c, reply, over)
	}
}

// backendSays notes what a backend is to send. It is sent between two turns, when the machine
// is not in the midst of a write.
func (w *World) backendSays(c *Conn, reply []byte, over bool) {
	p := c.backend
	if len(reply) == 0 && !over {
		return
	}
	if !p.waits() {
		w.replying++
	}
	p.reply, p.over = append(p.reply, reply...), over
	if !p.late && countDown(&p.slow.times) {
		w.met(trace.AnswerWaits, c.machineEnd())
		p.late = true
		w.later(p.slow.delay, func() { p.late = false })
	}
}

func (p *backendPeer) waits() bool { return len(p.reply) > 0 || p.over }

// backendsReply sends what backends have to send, as far as there is room. It reports whether
// it did anything.
func (w *World) backendsReply() (sent bool) {
	for i := len(w.conns) / 2; i < len(w.conns); i++ {
		if c := &w.conns[i]; c.backend != nil && c.backend.waits() && w.backendReplies(c) {
			sent = true
		}
	}
	return sent
}

func (w *World) backendReplies(c *Conn) (sent bool) {
	b, p := c.backend, c.peer
	if p == nil || p.shutOut || p.other == nil {
		over := b.over && p != nil
		b.reply, b.over = nil, false
		w.replying--
		if over { // the machine has ended the connection
			w.hangUp(c, false)
		}
		return over
	}
	if b.late {
		return false
	}
	n := min(len(b.reply), p.room())
	if n > 0 && c.splits > 0 {
		c.splits--
		if n > max(1, c.split) {
			n = max(1, c.split, len(b.reply)/mostPieces)
		}
	}
	if n > 0 {
		w.peerSends(c, p.other, b.reply[:n])
		b.reply = append(b.reply[:0], b.reply[n:]...)
	}
	if len(b.reply) > 0 {
		return n > 0
	}
	w.replying--
	if b.over {
		b.over = false
		w.hangUp(c, false)
	}
	return true
}
