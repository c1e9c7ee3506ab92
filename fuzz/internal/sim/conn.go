package sim

import (
	"math"
	"net/netip"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
)

// Conn is a connection of the trace, and its peer. The lower half of the numbers are
// dialled by events, the upper half by machines.
type Conn struct {
	Number  int
	Life    int         // how many connections have had the number; 0: none yet
	Addr    driver.Addr // that the peer, or the machine, dialled
	Dialled int64       // when a machine began to dial it; 0: a peer dialled it
	Sent    []byte      // by the peer
	Got     []byte      // by the peer
	Unread  int         // bytes that its machine had not read when it closed

	peer *socket // nil: closed

	pace   int   // bytes that the peer reads at a time; eager: all at once
	every  int64 // nanoseconds between two reads of a peer that is not eager
	readAt int64 // when it reads next
	split  int   // the next sends are in pieces of this size
	splits int   // so many of them
	stuck  bool  // with the rest of a word, for which there was no room, or is none yet

	backend *backendPeer // answers what a machine sends; nil: only the trace does

	owner       machineKey       // that has the other end
	wrote       int              // bytes that the kernel took of what was written to the peer
	ending      Fate             // Quit or Left, once its machine has ended, or closed it, by itself
	sentByEnd   int              // bytes that the peer had sent then
	staleData   driver.EventData // event data of a socket that the machine closed
	staleDriver *simDriver
	whole       bool // it was at rest, and open, when faults had ceased
	ended       bool // the machine half-closed
	late        bool // a deadline ended its machine
	cut         bool // it was reset, or closed by the peer
}

// Fate is what became of a connection.
type Fate uint8

const (
	CutOff Fate = iota // it ended for a reason that its bytes do not show: the peer may have got less
	Open               // it is open, and the peer has got all that was on its way
	Quit               // its machine ended it by itself, and the peer has got all that was on its way
	Left               // the same, and the peer had half-closed before
)

// Fate returns what became of the connection. A machine that ended by itself owes the
// peer what was there by then, and the peer may not have read all of it.
func (c *Conn) Fate() Fate {
	switch {
	case c.whole:
		return Open
	case len(c.Got) == c.wrote:
		return c.ending
	}
	return CutOff
}

// SameMachine reports whether one machine has, or had, the other ends of two connections.
func (c *Conn) SameMachine(d *Conn) bool {
	return c.owner == d.owner && c.owner.generation != 0
}

// Owner identifies the machine that has, or had, the other end; 0: none.
func (c *Conn) Owner() uint64 { return c.owner.id() }

// MachineEnded reports whether the peer has got the end of what its machine sends.
func (c *Conn) MachineEnded() bool { return c.ended }

// PeerEnded reports whether the peer has half-closed, and is open.
func (c *Conn) PeerEnded() bool { return c.peer != nil && c.peer.shutOut }

// Joined reports whether peer and machine hold the connection, and it was not reset.
func (c *Conn) Joined() bool {
	return c.peer != nil && !c.cut && c.peer.other != nil && c.peer.other.driver != nil
}

// Of reports whether the connection is, or was, that of a machine. A machine may outlive its
// connection, whose number another one has then.
func (c *Conn) Of(m *Machine) bool { return c.owner == machineKey{m.Loop, m.Generation, m.Index} }

// Late reports whether a deadline ended the machine of the connection.
func (c *Conn) Late() bool { return c.late }

// Slow reports whether the peer does not read at once what arrives.
func (c *Conn) Slow() bool { return c.pace != eager }

// Open reports whether the peer has the connection open.
func (c *Conn) Open() bool { return c.peer != nil }

// Established reports whether both ends are open, in both directions.
func (c *Conn) Established() bool {
	return c.Joined() && !c.ended
}

// Whole reports whether the connection was at rest, and open, when faults had ceased.
func (c *Conn) Whole() bool { return c.whole }

// SentByEnd returns what the peer had sent when the machine ended by itself.
func (c *Conn) SentByEnd() []byte { return c.Sent[:c.sentByEnd] }

// Dialled reports whether a machine began the connection.
func (w *World) Dialled(c *Conn) bool { return c.Number >= len(w.conns)/2 }

// CheckOpen reports whether a connection is open, once faults have ceased and the loops
// rest. It also notes for Fate whether nothing hinders its answers.
func (w *World) CheckOpen(conn int) bool {
	c := &w.conns[conn]
	if c.whole = false; c.peer == nil || c.ended || c.cut {
		return false
	}
	c.whole = c.peer.other != nil && c.peer.other.driver != nil && !w.Obstructed()
	return true
}

// Obstructed reports whether a connection that a machine began leads nowhere: a fault
// leaves it unanswered, or no slot is free for who would answer. Other peers may wait
// for what comes from there. It also reports true if a machine waits for Config.Buffers,
// which machines that wait for their peers may hold.
func (w *World) Obstructed() bool {
	for i := range w.drivers {
		if stats, ok := w.stats(i); ok && stats.Waiting > 0 {
			return true
		}
	}
	for _, s := range w.sockets[1:] {
		if s.driver != nil && (s.phase == unanswered && !s.silent || s.other != nil && s.other.driver == nil && s.other.conn < 0) {
			return true
		}
	}
	return false
}

// Got returns how many bytes all peers have got.
func (w *World) Got() (n int) {
	for i := range w.conns {
		n += len(w.conns[i].Got)
	}
	return n
}

const eager = math.MaxInt

// mostPieces is into how many pieces a send is cut at most, or one more: a long word in
// single bytes would take as long as a hundred runs.
const mostPieces = 256

func (c *Conn) clear() {
	*c = Conn{Number: c.Number, Sent: c.Sent[:0], Got: c.Got[:0], pace: eager, readAt: forever}
}

// setPeer makes p the peer's end of c, and s the other one.
func (w *World) setPeer(c *Conn, p, s *socket) {
	life, stale, driver := c.Life+1, c.staleData, c.staleDriver
	if c.backend != nil && c.backend.waits() {
		w.replying--
	}
	c.clear()
	c.Life, c.staleData, c.staleDriver = life, stale, driver
	c.peer = p
	p.conn, s.conn = int32(c.Number), int32(c.Number)
	p.life, s.life = life, life
	w.observeConn(Connects, c.Number, nil)
}

// connOf returns the connection that s is an end of; nil if there is none, or its number
// has gone to another.
func (w *World) connOf(s *socket) *Conn {
	if s.conn < 0 || w.conns[s.conn].Life != s.life {
		return nil
	}
	return &w.conns[s.conn]
}

// dial connects the peer of c to a listener.
func (w *World) dial(c *Conn, listener int) {
	if c.peer != nil || len(w.listeners) == 0 {
		return
	}
	id := w.listeners[listener%len(w.listeners)].id
	l := w.sockets[int(id)&rowMask]
	if l.id != id || l.kind != listening || len(w.cfg.Roles.All) > 0 && !w.mayDial(l.local) {
		return
	}
	w.observeConn(ConnOver, c.Number, nil)
	s, p := w.pair(nil, nil) // s belongs to the loop once it is accepted
	p.local = driver.Addr{Net: l.local.Net, IP: netip.AddrPortFrom(loopback, uint16(20_000+c.Number+w.round%mostNames*len(w.conns)))}
	p.remote = l.local
	s.local, s.remote = p.remote, p.local
	l.backlog = append(l.backlog, s)
	w.setPeer(c, p, s)
	c.Addr = l.local
	w.meet(c.Addr)
	l.notify()
}

// outbound returns a connection for a machine to begin; nil if none is free. If all numbers are
// in use, the peer of a machine that has closed its end reads what is left, and closes.
func (w *World) outbound() *Conn {
	var over *Conn
	for i := len(w.conns) / 2; i < len(w.conns); i++ {
		c := &w.conns[i]
		if c.peer == nil {
			w.observeConn(ConnOver, i, nil)
			return c
		}
		if over == nil && c.peer.other == nil {
			over = c
		}
	}
	if over != nil {
		w.drain(over, eager)
		w.hangUp(over, false)
		w.observeConn(ConnOver, over.Number, nil)
	}
	return over
}

// abort ends the connection that waits longest at a listener.
func (w *World) abort(l *socket) {
	s := l.backlog[0]
	l.backlog = l.backlog[:copy(l.backlog, l.backlog[1:])]
	if s.other != nil {
		w.reset(s.other, errno.ECONNRESET)
	}
	w.drop(s)
}

// send sends bytes from the peer of c, in pieces if a fault says so. The peer sends no
// more than the machine's kernel has room for: it would wait, and the trace goes on. If words
// are to be whole, it sends nothing more after that.
func (w *World) send(c *Conn, b []byte) {
	p := c.peer
	if p == nil || p.shutOut || c.stuck {
		return
	}
	c.stuck = w.cfg.WordsOnly // so no other word comes between its pieces
	piece := len(b)
	if c.splits > 0 {
		c.splits--
		piece = max(1, c.split, len(b)/mostPieces)
	}
	for settled := false; len(b) > 0 && !w.halted; {
		if p.other == nil { // the machine has closed: its kernel answers with a reset
			c.cut = true
			p.in.truncate(p.window)
			return
		}
		n := min(len(b), piece, p.room())
		switch {
		case n > 0:
			w.peerSends(c, p.other, b[:n])
		case settled: // the machine does not read
			return
		}
		if b = b[n:]; len(b) > 0 {
			if p.other != nil && n == piece {
				w.struck(trace.Split, p.other)
			}
			w.Settle()
			if settled = true; c.peer != p || p.shutOut {
				return
			}
		}
	}
	c.stuck = c.stuck && len(b) > 0
}

// peerSends brings bytes of the peer of c to the other end.
func (w *World) peerSends(c *Conn, to *socket, b []byte) {
	w.noteBytes(noteSend, c.peer, b)
	c.Sent = append(c.Sent, b...)
	w.ticks++
	if w.wants(Sends) {
		o := w.observation(Sends)
		o.Conn, o.Bytes, o.N, o.Tick = c.Number, b, len(c.Sent), w.ticks
		w.emit(o)
	}
	w.arrive(to, b)
}

// peerGets notes bytes that the peer of c reads.
func (w *World) peerGets(c *Conn, s *socket, b []byte) {
	c.Got = append(c.Got, b...)
	w.note(noteGot, uint64(s.id), uint64(len(b)))
	w.ticks++
	if w.wants(Gets) {
		o := w.observation(Gets)
		o.Conn, o.Bytes, o.N, o.Tick = c.Number, b, len(c.Got), w.ticks
		w.emit(o)
	}
	if c.backend != nil {
		w.backendGets(c, b)
	}
}

// arriveAtPeer reports whether the peer takes what arrives at once, as an eager one does.
func (w *World) arriveAtPeer(s *socket, b []byte) bool {
	c := &w.conns[s.conn]
	if c.pace != eager {
		w.readLater(c)
		return false
	}
	w.peerGets(c, s, b)
	return true
}

// setPace makes the peer of c read so many bytes at a time.
func (w *World) setPace(c *Conn, bytes int, every int64) {
	if c.peer == nil {
		return
	}
	c.pace, c.every, c.readAt = bytes, every, forever
	switch {
	case bytes == eager:
		w.drain(c, eager)
	case c.peer.in.len() > 0:
		w.readLater(c)
	}
}

// readLater makes the peer read, if it reads at all, when its time comes.
func (w *World) readLater(c *Conn) {
	if c.pace > 0 && c.every > 0 && c.readAt == forever {
		c.readAt = w.now + c.every
	}
}

// readSome is a read of a peer that reads now and then.
func (w *World) readSome(c *Conn) {
	c.readAt = forever
	if w.drain(c, c.pace); c.peer != nil && c.peer.in.len() > 0 {
		w.readLater(c)
	}
}

// drain lets the peer read up to so many bytes.
func (w *World) drain(c *Conn, most int) {
	if c.peer == nil {
		return
	}
	n := min(most, c.peer.in.len())
	if n == 0 {
		return
	}
	w.peerGets(c, c.peer, c.peer.in.bytes()[:n])
	w.read(c.peer, c.Got[len(c.Got)-n:])
}

// hangUp closes the peer of c, as the end of a process does, or with a reset.
func (w *World) hangUp(c *Conn, reset bool) {
	p := c.peer
	if p == nil {
		return
	}
	w.keepSlow(c)
	c.peer, c.readAt, c.cut = nil, forever, true
	w.observeConn(Closes, c.Number, nil)
	if reset && p.other != nil && p.kind == stream {
		w.reset(p.other, errno.ECONNRESET)
		p.other = nil
	}
	w.close(p)
}

// peerSeesEnd is called when an end of a connection learns that the other is over.
func (w *World) peerSeesEnd(s *socket) {
	if s.driver != nil || s.conn < 0 {
		return
	}
	c := &w.conns[s.conn]
	if c.peer != s {
		return
	}
	c.ended = true
	w.note(noteEnd, uint64(s.conn), 0)
	if s.broken != nil {
		c.cut = true
		w.observeConn(GetsReset, c.Number, nil)
	} else {
		w.observeConn(GetsEnd, c.Number, nil)
		if c.backend != nil {
			w.backendSays(c, nil, true)
		}
	}
}

// machineCloses notes what there is to know of a socket that a machine closes.
func (w *World) machineCloses(s *socket) {
	if m := s.machine(); m != nil && m.Lives && m.Kind != nil {
		w.closesByItself(s, m)
	}
	if s.conn < 0 {
		return
	}
	if s.watched {
		c := &w.conns[s.conn]
		c.staleData, c.staleDriver = s.data, s.driver
	}
	if c := w.connOf(s); c != nil {
		c.Unread = s.in.len()
		w.keepSlow(c)
	}
	w.observeEnd(MachineCloses, s, nil)
}
