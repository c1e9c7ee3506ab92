package sim

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
}

func (w *World) beginBackend(c *Conn) {
	if w.cfg.Backends == nil {
		return
	}
	if b := w.cfg.Backends(c.Addr); b != nil {
		c.backend = &backendPeer{Backend: b}
		w.backendSays(c, b.Greets(), false)
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
	if !p.waits() && (len(reply) > 0 || over) {
		w.replying++
	}
	p.reply, p.over = append(p.reply, reply...), over
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
