package fuzz

import (
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Sockets do what those of a kernel do, without its haste: what one end writes is
// with the other at once, and time passes only when the world says so. Each end of
// a connection is a row; who holds it, a loop's driver or the world as its peer,
// makes no difference here.

// nature is what a socket is.
type nature uint8

const (
	free nature = iota
	stream
	listening
	datagram
	pipeIn
	pipeOut
)

// kernels' buffers, in bytes: what is accepted before it is read.
const (
	window = 32 << 10 // by the receiving end's: it is acknowledged
	queue  = 32 << 10 // beyond that, by the sending end's
)

// A Sock is a row and how often the row was used, so that a call after Close is
// never one on whoever got the row next.
//
//	31 30        16 15         0
//	| 0 | generation |   row    |
const (
	rowBits = 16
	rowMask = 1<<rowBits - 1
	genMask = 1<<15 - 1
)

// sock is one end of a connection, a listener, or a datagram socket.
type sock struct {
	id     driver.Sock
	nature nature
	driver *simDriver // whose it is; nil: the world's
	conn   int32      // number of the connection in the trace, -1: none
	life   int        // which of those that had the number

	data    driver.EventData // as registered
	watched bool
	listed  bool // in driver.news

	other   *sock  // the other end; nil when that is closed
	in      buffer // what came and was not read
	window  int    // how much of in counts as received
	queue   int    // how much more is on its way
	starved bool   // a write met a full buffer: tell of room
	ended   bool   // the other end sends no more
	shutIn  bool
	shutOut bool
	broken  error // an error that was not told yet
	over    bool  // reset: the error was told
	phase   phase

	local, remote driver.Addr
	backlog       []*sock
	mail          []mail
	armed         armed
}

// phase is how far a connection attempt is.
type phase uint8

const (
	connected phase = iota
	unanswered
	answered // it succeeded, and nobody asked yet
	failed   // so did it fail: with broken
)

// open takes a row.
func (w *World) open(n nature, d *simDriver) *sock {
	var s *sock
	if k := len(w.spare); k > 0 {
		s, w.spare = w.spare[k-1], w.spare[:k-1]
	} else {
		if len(w.socks) == rowMask {
			panic("fuzz: 65,535 sockets are open")
		}
		s = &sock{id: driver.Sock(len(w.socks))}
		w.socks = append(w.socks, s)
	}
	gen := (int(s.id)>>rowBits + 1) & genMask
	*s = sock{
		id: driver.Sock(gen<<rowBits | int(s.id)&rowMask), nature: n, driver: d, conn: -1,
		window: window, queue: queue, in: buffer{b: s.in.b[:0]}, backlog: s.backlog[:0], mail: s.mail[:0],
	}
	w.opened++
	if d != nil {
		d.open++
	}
	return s
}

func (w *World) drop(s *sock) {
	if s.driver != nil {
		s.driver.open--
	}
	s.nature, s.driver, s.other, s.watched = free, nil, nil, false
	w.spare = append(w.spare, s)
	w.moved++
}

// pair makes two ends of one connection.
func (w *World) pair(a, b *simDriver) (x, y *sock) {
	x, y = w.open(stream, a), w.open(stream, b)
	x.other, y.other = y, x
	return x, y
}

// room is how much a write on s would find room for.
func (s *sock) room() int {
	if s.other == nil {
		return window // it goes nowhere
	}
	return max(0, s.other.window+s.other.queue-s.other.in.len())
}

// unsent tells whether the other end's kernel has not got all of it.
func (s *sock) unsent() bool { return s.other != nil && s.other.in.len() > s.other.window }

// connects tells whether s is an end of something that has two.
func (s *sock) connects() bool {
	return s.nature == stream || s.nature == pipeIn || s.nature == pipeOut
}

// ready is what is true of s now.
func (s *sock) ready() (r poll.Ready) {
	switch s.nature {
	case listening:
		if len(s.backlog) > 0 {
			r = poll.Readable
		}
		return r
	case datagram:
		if len(s.mail) > 0 {
			r = poll.Readable
		}
		return r | poll.Writable
	case pipeOut:
		if s.other == nil {
			return poll.Writable | poll.WriteClosed | poll.Error
		}
	}
	const hangUp = poll.Readable | poll.Writable | poll.ReadClosed | poll.WriteClosed
	switch {
	case s.phase == unanswered:
		return 0
	case s.broken != nil:
		return hangUp | poll.Error
	case s.over || s.ended && s.shutOut:
		return hangUp
	}
	if s.in.len() > 0 || s.ended || s.shutIn {
		r |= poll.Readable
	}
	if s.ended || s.shutIn {
		r |= poll.ReadClosed
	}
	if s.room() > 0 || s.shutOut {
		r |= poll.Writable
	}
	switch s.nature {
	case pipeIn:
		r &^= poll.Writable
	case pipeOut:
		r &^= poll.Readable | poll.ReadClosed
	}
	return r
}

// tell makes what is true of s an event, if anybody watches it.
func (s *sock) tell() {
	if s.watched && !s.listed {
		s.listed = true
		s.driver.news = append(s.driver.news, s.id)
	}
}

// arrive puts bytes from the other end into s.
func (w *World) arrive(s *sock, b []byte) {
	w.moved += uint64(len(b))
	if s.conn >= 0 && w.conns[s.conn].peer == s && w.swallow(s, b) {
		return
	}
	if s.shutIn {
		return
	}
	s.in.put(b)
	s.tell()
}

// read takes bytes out of s, and lets the other end know of the room.
func (w *World) read(s *sock, b []byte) int {
	n := s.in.take(b)
	if n == 0 {
		return 0
	}
	w.moved += uint64(n)
	w.chat = 0
	if o := s.other; o != nil && o.starved && o.room() > 0 {
		o.tell()
	}
	return n
}

// finish ends the direction from s to the other end.
func (w *World) finish(s *sock) {
	if s.shutOut || s.nature == pipeIn {
		return
	}
	s.shutOut = true
	w.moved++
	if o := s.other; o != nil && !o.ended {
		o.ended = true
		o.tell()
		w.heard(o)
	}
	if s.ended {
		s.tell() // both directions are over: a hang-up
	}
}

// reset breaks the connection as s sees it. What was on its way to s is lost.
func (w *World) reset(s *sock, why error) {
	if s.broken != nil || s.over {
		return
	}
	s.in.cut(s.window)
	s.broken, s.other = why, nil
	w.moved++
	s.tell()
	w.heard(s)
}

// shut closes s. Input that was not read, or comes later, makes it a reset for the
// other end.
func (w *World) shut(s *sock) {
	switch {
	case s.nature == listening:
		for _, c := range s.backlog {
			if c.other != nil {
				w.reset(c.other, errno.ECONNRESET)
			}
			w.drop(c)
		}
		s.backlog = s.backlog[:0]
	case s.other != nil:
		o := s.other
		if unread := s.in.len() > 0; unread && s.nature == stream {
			w.reset(o, errno.ECONNRESET)
			break
		}
		o.other = nil
		if !o.ended {
			o.ended = true
			w.heard(o)
		}
		o.starved = false
		o.tell()
	}
	w.drop(s)
}
