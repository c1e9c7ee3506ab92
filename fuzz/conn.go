package fuzz

import (
	"math"
	"net/netip"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
)

// conn is a connection of the trace, and the world's end of it: the peer. The lower
// half of the numbers are dialled by events, the upper half by machines.
type conn struct {
	number int
	peer   *sock // nil: closed
	life   int   // how many connections had this number before

	sent   []byte // by the peer
	got    []byte // by the peer
	sentAt []stamp
	gotAt  []stamp
	whole  bool // at rest, and open, when faults had ceased

	pace   int   // bytes at a time; eager: all at once
	every  int64 // nanoseconds between two reads of a peer that is not eager
	readAt int64
	split  int // the next sends are in pieces of this size
	splits int

	owner  machineKey // that has the other end
	wrote  int        // bytes that the kernel took of what was written to it
	ending fate       // quit or left, once its machine has ended by itself
	heard  int        // bytes of sent that had come then
	unread int        // bytes that its machine had not read when it closed
	stale  uint64     // event data of a socket that the machine closed
	staleD *driver
	ended  bool // the machine ended its direction
	cut    bool // reset, or closed by the world
}

const eager = math.MaxInt

// pieces is how many a word is sent in at most, or one more: a long one in single bytes
// would take the time of a hundred runs.
const pieces = 256

func (c *conn) clear() {
	*c = conn{number: c.number, sent: c.sent[:0], got: c.got[:0], sentAt: c.sentAt[:0], gotAt: c.gotAt[:0], pace: eager, readAt: forever}
}

// take makes p the world's end of c; s is the other one.
func (w *World) take(c *conn, p, s *sock) {
	life, stale, staleD := c.life+1, c.stale, c.staleD
	c.clear()
	c.life, c.stale, c.staleD = life, stale, staleD
	c.peer = p
	p.conn, s.conn = int32(c.number), int32(c.number)
	p.life, s.life = life, life
	if w.watch != nil && w.watch.conn == c.number {
		w.watch.line = -1 // that was in another life
	}
	w.say(c.number, "connects")
}

// of is the connection that s is an end of; nil: none, or another one has its number.
func (w *World) of(s *sock) *conn {
	if s.conn < 0 || w.conns[s.conn].life != s.life {
		return nil
	}
	return &w.conns[s.conn]
}

// dial connects the peer of c to a listener.
func (w *World) dial(c *conn, listener int) {
	if c.peer != nil || len(w.listeners) == 0 {
		return
	}
	id := w.listeners[listener%len(w.listeners)].id
	l := w.socks[int(id)&rowMask]
	if l.id != id || l.nature != listening {
		return
	}
	w.judge(c)
	s, p := w.pair(nil, nil) // s is its loop's once it is accepted
	p.local = reactor.Addr{Net: l.local.Net, IP: netip.AddrPortFrom(loopback, uint16(20_000+c.number))}
	p.remote = l.local
	s.local, s.remote = p.remote, p.local
	l.backlog = append(l.backlog, s)
	w.take(c, p, s)
	l.tell()
}

// outbound is a number for a connection that a machine began.
func (w *World) outbound() *conn {
	for i := len(w.conns) / 2; i < len(w.conns); i++ {
		if c := &w.conns[i]; c.peer == nil {
			w.judge(c)
			return c
		}
	}
	return nil
}

// send sends bytes from the peer of c, in pieces where a fault says so. What the
// machine's kernel has no room for is lost to nobody: such a peer waits, and the
// trace goes on without.
func (w *World) send(c *conn, b []byte) {
	p := c.peer
	if p == nil || p.shutOut {
		return
	}
	piece := len(b)
	if c.splits > 0 {
		c.splits--
		piece = max(1, c.split, len(b)/pieces)
	}
	for len(b) > 0 && w.failure == nil {
		if p.other == nil {
			w.lose(c)
			return
		}
		n := min(len(b), piece, p.room())
		if n == 0 {
			return
		}
		w.noteBytes(noteSend, p, b[:n])
		c.sent = append(c.sent, b[:n]...)
		c.sentAt = w.mark(c, c.sentAt, len(c.sent))
		w.arrive(p.other, b[:n])
		if b = b[n:]; len(b) > 0 {
			if p.other != nil && n == piece {
				w.strikes(trace.Split, p.other)
			}
			w.settle()
			if c.peer != p || p.shutOut {
				return
			}
		}
	}
}

// lose is what a peer learns that sends to a machine which has closed: its kernel
// answers with a reset.
func (w *World) lose(c *conn) {
	c.cut = true
	c.peer.in.cut(c.peer.window)
}

// swallow is what arrives for the world: a peer that reads eagerly has it at once.
func (w *World) swallow(s *sock, b []byte) bool {
	c := &w.conns[s.conn]
	if c.pace != eager {
		w.readLater(c)
		return false
	}
	w.gets(c, s, b)
	return true
}

// setPace makes the peer of c read so many bytes at a time.
func (w *World) setPace(c *conn, bytes int, every int64) {
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
func (w *World) readLater(c *conn) {
	if c.pace > 0 && c.every > 0 && c.readAt == forever {
		c.readAt = w.now + c.every
	}
}

// trickle is a read of a peer that reads now and then.
func (w *World) trickle(c *conn) {
	c.readAt = forever
	if w.drain(c, c.pace); c.peer != nil && c.peer.in.len() > 0 {
		w.readLater(c)
	}
}

// drain lets the peer read up to so many bytes.
func (w *World) drain(c *conn, most int) {
	if c.peer == nil {
		return
	}
	n := min(most, c.peer.in.len())
	if n == 0 {
		return
	}
	w.gets(c, c.peer, c.peer.in.bytes()[:n])
	w.read(c.peer, c.got[len(c.got)-n:])
}

// hangUp closes the peer of c: as a process that ends does, or with a reset.
func (w *World) hangUp(c *conn, reset bool) {
	p := c.peer
	if p == nil {
		return
	}
	c.peer, c.readAt, c.cut = nil, forever, true
	w.say(c.number, "closes")
	if reset && p.other != nil && p.nature == stream {
		w.reset(p.other, errno.ECONNRESET)
		p.other = nil
	}
	w.shut(p)
}

// heard is told when an end of a connection learns that the other one is over.
func (w *World) heard(s *sock) {
	if s.driver != nil || s.conn < 0 {
		return
	}
	c := &w.conns[s.conn]
	if c.peer != s {
		return
	}
	if s.broken != nil {
		c.cut = true
	}
	c.ended = true
	w.note(noteEnd, uint64(s.conn), 0)
	if s.broken != nil {
		w.say(c.number, isReset)
	} else {
		w.say(c.number, getsEnd)
	}
}
