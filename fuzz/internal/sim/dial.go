package sim

import (
	"net/netip"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// Connections that machines begin. An attempt is answered at once, or some time later, or
// never: faults decide.

// Peer is what machines find at an address that they dial, if no machine listens there.
type Peer uint8

const (
	Accepts Peer = iota
	Refuses
	IsSilent
)

// refused is the error of a connection attempt that is refused.
type refused struct{}

func (refused) Error() string   { return "refused: " + errno.ECONNREFUSED.Error() }
func (refused) Unwrap() []error { return []error{reactor.ErrRefused, errno.ECONNREFUSED} }

// mostDials is how many connections machines begin before the world observes it. A client that
// dials each millisecond would begin millions in an hour on the world's clock.
const mostDials = 10_000

// connect begins a connection of a machine.
func (w *World) connect(d *simDriver, a driver.Addr) *socket {
	w.found.Dials = true
	if w.dialled++; w.dialled == mostDials {
		w.observe(DialsOn)
	}
	s := w.open(stream, d)
	s.remote, s.phase, s.dialled = a, unanswered, w.now
	fate := d.armed.connectFate()
	if fate != connectNormally {
		w.struck(trace.ConnectFails, nil)
	}
	if fate == connectUnanswered {
		return s
	}
	wait, late := d.armed.connectWait()
	if !late {
		w.answer(s, fate == connectRefused)
		return s
	}
	w.struck(trace.ConnectWaits, nil)
	id := s.id
	w.later(wait, func() {
		if s.id == id && s.driver == d { // else the machine has closed it
			w.answer(s, fate == connectRefused)
		}
	})
	return s
}

// answer ends a connection attempt: it is refused, or leads to a listener of the world's loops,
// or else to a peer.
func (w *World) answer(s *socket, refuse bool) {
	a := s.remote
	l := w.bound(a, listening)
	peer := Accepts
	if w.cfg.Peers != nil && l == nil {
		peer = w.cfg.Peers(a)
	}
	if peer == IsSilent && !refuse {
		s.silent = true
		return
	}
	defer s.notify()
	if refuse || l == nil && w.listened(a) || peer == Refuses {
		w.refuse(s)
		return
	}
	p := w.open(stream, nil)
	s.other, p.other = p, s
	s.local = driver.Addr{Net: a.Net, IP: netip.AddrPortFrom(loopback, w.port())}
	s.phase = answered
	p.local, p.remote = s.remote, s.local
	w.moved++
	w.meet(a)
	if l != nil {
		l.backlog = append(l.backlog, p)
		l.notify()
		return
	}
	c := w.outbound()
	if c == nil {
		w.close(p)
		w.refuse(s)
		return
	}
	w.setPeer(c, p, s)
	if s.watched {
		w.setOwner(s)
	}
	c.Addr, c.Dialled = a, s.dialled
	w.beginBackend(c)
}

// Attempt is one of a machine to connect, which came to nothing.
type Attempt struct {
	Addr    driver.Addr
	Dialled int64
	Over    int64 // when it was refused, or the machine gave it up
	Refused bool
}

func (w *World) refuse(s *socket) {
	w.comesToNothing(s, true)
	s.phase, s.broken = failed, refused{}
}

// comesToNothing notes an attempt that is refused, or that its machine gives up.
func (w *World) comesToNothing(s *socket, refused bool) {
	w.attempts = append(w.attempts, Attempt{s.remote, s.dialled, w.now, refused})
}

// Attempts returns those of the last run that came to nothing.
func (w *World) Attempts() []Attempt { return w.attempts }
