package sim

import (
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Sockets behave like those of a kernel, but at once: what one end writes has arrived at the
// other, and time passes only when the world moves the clock. Each end of a connection is a
// row. It is held by a loop's driver, or by the world as the peer.

// socketKind is what a socket is.
type socketKind uint8

const (
	free socketKind = iota
	stream
	listening
	datagram
	pipeIn
	pipeOut
)

// Buffers of kernels, in bytes: what is accepted before it is read.
const (
	window = 32 << 10 // by the receiving end: it is acknowledged
	queue  = 32 << 10 // beyond that, by the sending end
)

// A Sock is a row and the number of times that the row was used. So a call after Close
// never reaches the socket that got the row next.
//
//	31 30        16 15         0
//	| 0 | generation |   row    |
const (
	rowBits = 16
	rowMask = 1<<rowBits - 1
	genMask = 1<<15 - 1
)

// socket is one end of a connection, a listener, or a datagram socket.
type socket struct {
	id     driver.Sock
	kind   socketKind
	driver *simDriver // that holds it; nil: the world
	conn   int32      // number of the connection; -1: none
	life   int        // which of the connections that had the number

	data    driver.EventData // as registered
	watched bool
	listed  bool // in driver.news
	beside  bool // its machine had another port meanwhile, and closed it
	led     int  // that of its machine as it was registered
	fails   int  // the same

	other      *socket // the other end; nil when that is closed
	in         buffer  // what arrived and was not read
	window     int     // how much of in counts as received
	queue      int     // how much more is on its way
	cut        int     // writes that had less room than usual since a fault changed window
	awaitsRoom bool    // a write met a full buffer: an event is due when there is room
	ended      bool    // the other end sends no more
	shutIn     bool
	shutOut    bool
	broken     error // an error that no call has returned yet
	why        error // the same, also once a call has returned it
	over       bool  // reset, and the error was returned
	phase      phase
	dialled    int64 // when its machine began to connect
	finds      Peer  // what it finds there, if no machine listens
	attempted  int   // 1 + its index in World.attempts; 0: it is not there
	silent     bool  // unanswered, as no peer ever answers at that address: no fault makes it so
	last       lastWords
	unsure     bool // the last read was refused by a fault: its machine cannot know of input

	local, remote driver.Addr
	shared        bool // others may be bound to the same address
	backlog       []*socket
	datagrams     []waitingDatagram
	armed         armed
}

// phase is how far a connection attempt is.
type phase uint8

const (
	connected phase = iota
	unanswered
	answered // it has succeeded, and Finish was not called yet
	failed   // it has failed, with broken
)

// open returns a new socket.
func (w *World) open(k socketKind, d *simDriver) *socket {
	var s *socket
	if n := len(w.spare); n > 0 {
		s, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		if len(w.sockets) == rowMask {
			panic("fuzz: 65,535 sockets are open")
		}
		s = &socket{id: driver.Sock(len(w.sockets))}
		w.sockets = append(w.sockets, s)
	}
	gen := (int(s.id)>>rowBits + 1) & genMask
	*s = socket{
		id: driver.Sock(gen<<rowBits | int(s.id)&rowMask), kind: k, driver: d, conn: -1,
		window: window, queue: queue, in: buffer{b: s.in.b[:0]}, backlog: s.backlog[:0], datagrams: s.datagrams[:0],
	}
	w.opened++
	if d != nil {
		d.open++
	}
	return s
}

func (w *World) drop(s *socket) {
	if s.driver != nil {
		s.driver.open--
	}
	s.kind, s.driver, s.other, s.watched = free, nil, nil, false
	w.spare = append(w.spare, s)
	w.moved++
}

// pair returns the two ends of a new connection.
func (w *World) pair(a, b *simDriver) (x, y *socket) {
	x, y = w.open(stream, a), w.open(stream, b)
	x.other, y.other = y, x
	return x, y
}

// room returns how many bytes a write on s can take.
func (s *socket) room() int {
	if s.other == nil {
		return window // what is written goes nowhere
	}
	return max(0, s.other.window+s.other.queue-s.other.in.len())
}

// unsent reports whether the other end's kernel has not received all output.
func (s *socket) unsent() bool { return s.other != nil && s.other.in.len() > s.other.window }

// connects reports whether s is one of two ends.
func (s *socket) connects() bool {
	return s.kind == stream || s.kind == pipeIn || s.kind == pipeOut
}

// ready returns the readiness of s.
func (s *socket) ready() (r poll.Ready) {
	switch s.kind {
	case listening:
		if len(s.backlog) > 0 {
			r = poll.Readable
		}
		return r
	case datagram:
		if len(s.datagrams) > 0 {
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
	switch s.kind {
	case pipeIn:
		r &^= poll.Writable
	case pipeOut:
		r &^= poll.Readable | poll.ReadClosed
	}
	return r
}

// notify makes an event of the readiness of s, if s is registered.
func (s *socket) notify() {
	if s.watched && !s.listed {
		s.listed = true
		s.driver.news = append(s.driver.news, s.id)
	}
}

// arrive puts bytes from the other end into s.
func (w *World) arrive(s *socket, b []byte) {
	w.moved += uint64(len(b))
	if s.conn >= 0 && w.conns[s.conn].peer == s && w.arriveAtPeer(s, b) {
		return
	}
	if s.shutIn {
		return
	}
	s.in.put(b)
	s.notify()
}

// read takes bytes out of s, and notifies the other end that there is room.
func (w *World) read(s *socket, b []byte) int {
	n := s.in.take(b)
	if n == 0 {
		return 0
	}
	w.moved += uint64(n)
	w.chatter = 0
	if s.other != nil {
		s.other.tellOfRoom()
	}
	return n
}

// tellOfRoom gives s the event that a blocked write waits for, if there is room now.
func (s *socket) tellOfRoom() {
	if s.awaitsRoom && s.room() > 0 {
		s.notify()
	}
}

// finish half-closes: s sends no more to the other end.
func (w *World) finish(s *socket) {
	if s.shutOut || s.kind == pipeIn {
		return
	}
	s.shutOut = true
	w.moved++
	if o := s.other; o != nil && !o.ended {
		o.ended = true
		o.notify()
		w.peerSeesEnd(o)
	}
	if s.ended {
		s.notify() // both directions are over: a hang-up
	}
}

// reset breaks the connection for s. What was on its way to s is lost.
func (w *World) reset(s *socket, why error) {
	if s.broken != nil || s.over {
		return
	}
	s.in.truncate(s.window)
	s.broken, s.why, s.other = why, why, nil
	if m := s.machine(); m != nil {
		m.Stuck[s.data.Port()] = 0 // its output goes nowhere any more
	}
	w.moved++
	s.notify()
	w.peerSeesEnd(s)
}

// close closes s. The other end is reset if input of s was not read, or arrives later.
func (w *World) close(s *socket) {
	if m := s.machine(); m != nil && m.lost.is && m.lost.conn == s.conn && m.lost.life == s.life {
		m.lost.closed = true
	}
	switch {
	case s.kind == listening:
		for _, c := range s.backlog {
			if c.other != nil {
				w.reset(c.other, errno.ECONNRESET)
			}
			w.drop(c)
		}
		s.backlog = s.backlog[:0]
	case s.other != nil:
		o := s.other
		if unread := s.in.len() > 0; unread && s.kind == stream {
			w.reset(o, errno.ECONNRESET)
			break
		}
		o.other = nil
		if !o.ended {
			o.ended = true
			w.peerSeesEnd(o)
		}
		o.awaitsRoom = false
		o.notify()
	case s.phase == unanswered:
		w.comesToNothing(s, false)
	}
	w.drop(s)
}
