package sim

import (
	"errors"
	"io"

	"github.com/stator-go/stator/fsm"
)

// What the end of a machine does to its connections. A peer takes the end of its input for
// a promise: it got everything. So a machine that ends because one of its connections broke
// resets the others, and one that ends by itself resets none. Input that arrived before a
// connection broke is read before the machine gets the error.

// lastWords says what the peer of a machine that has ended is to find.
type lastWords struct {
	what  promise
	until int64 // the time that the machine has for it
	takes int   // bytes of input after which it need not keep it
}

// promise is what the peer of a machine that has ended is to find.
type promise uint8

const (
	promisesNothing promise = iota
	promisesEnd             // the machine ended by itself: the end of its output, and no reset
	promisesReset           // another connection of the machine broke: not the end of its output
)

// mostTaken is how many bytes a peer may send to a machine that has ended by itself without
// being reset: reactor bounds what it reads and drops.
const mostTaken = 64 << 10

// end notes what the peers of a machine that has just ended are to find, and observes that
// it LosesInput.
func (w *World) end(m *Machine, reason error) {
	if w.stopped {
		return // loops that are stopped drop everything
	}
	broken := m.broken(reason)
	for p, s := range m.ports {
		switch {
		case s == nil || s.machine() != m || s.kind != stream || s.phase != connected:
		case s == broken:
			if n := s.in.len(); n > 0 && !s.unsure && m.reads(fsm.Port(p)) {
				o := w.observation(LosesInput)
				o.Machine, o.Conn, o.N, o.From = m, int(s.conn), n, m.Before
				w.emit(o)
			}
		case s.why != nil || s.shutOut:
		case broken != nil:
			s.last = lastWords{what: promisesReset}
		case reason == nil || reason == io.EOF:
			s.last = lastWords{promisesEnd, w.now + int64(m.Kind.Options().Linger), mostTaken}
		}
	}
}

// broken returns the port of a machine whose error is why it ended; nil if there is none, or
// if it may be that of several ports.
func (m *Machine) broken(reason error) (broken *socket) {
	if reason == nil {
		return nil
	}
	for _, s := range m.ports {
		if s == nil || s.machine() != m || s.why == nil {
			continue
		}
		if broken != nil || !errors.Is(reason, s.why) {
			return nil
		}
		broken = s
	}
	return broken
}

// reads reports whether the last state of a machine waits for the input of a port.
func (m *Machine) reads(p fsm.Port) bool {
	return m.Kind.Plain().Resolve(m.Before).Wait.Has(p.Readable())
}

// closesWell is called before a loop closes a connection. It observes that the peer finds
// something else than it is to find. The peer of a machine that ended by an error may find
// the end of its input if the machine half-closed before that, which is seen late if output
// had to be sent first.
func (w *World) closesWell(s *socket) {
	if s.last.what == promisesNothing || s.other == nil || w.stopped {
		return
	}
	what := HidesError
	if n := s.in.len(); s.last.what == promisesEnd {
		if n == 0 || w.now >= s.last.until || s.last.takes <= 0 {
			return
		}
		what = Resets
	} else if n > 0 || s.shutOut {
		return // the kernel makes a reset of it; or the peer has the end already
	}
	o := w.observation(what)
	o.Machine, o.Conn, o.N = s.machine(), int(s.conn), s.in.len()
	s.last = lastWords{}
	w.emit(o)
}

// dropsOutput is called before a loop resets a connection. It observes that a machine closes it
// before the loop could send what the machine wrote. A machine that gives up a peer that
// does not read, one whose other connection broke, or a client whose server has ended, may do so.
func (w *World) dropsOutput(s *socket) {
	m := s.machine()
	if m == nil || !m.Lives || w.stopped || s.phase != connected || s.room() == 0 || s.armed.writeBlocks > 0 || s.dialled > 0 && s.ended {
		return
	}
	for _, port := range m.ports {
		if port != nil && port.machine() == m && (port.why != nil || m.Stuck[port.data.Port()] > 0) {
			return
		}
	}
	o := w.observation(DropsOutput)
	o.Machine, o.Conn = m, int(s.conn)
	w.emit(o)
}

// took notes that a machine has read n bytes of a connection.
func (l *lastWords) took(n int) {
	if l.takes -= n; l.what == promisesEnd && l.takes <= 0 {
		l.what = promisesNothing
	}
}
