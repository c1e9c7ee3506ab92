package sim

import (
	"net/netip"
	"slices"

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
	if w.cfg.Peers != nil {
		s.finds = w.cfg.Peers(a)
	}
	fate := connectNormally
	if s.finds == Accepts {
		fate = d.armed.connectFate()
	}
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
	if s.finds == IsSilent && l == nil {
		s.silent = true
		return
	}
	defer s.notify()
	if refuse || l == nil && (w.listened(a) || s.finds == Refuses) {
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

// Attempt is one of a machine to connect, which came to nothing, or has not yet.
type Attempt struct {
	Addr    driver.Addr
	Dialled int64
	Over    int64 // when it was refused, or the machine gave it up
	Refused bool
	Pending bool   // there is no answer yet
	Machine uint64 // see Machine.ID; 0: it is not known
	Kind    string // of the machine
}

func (w *World) refuse(s *socket) {
	w.comesToNothing(s, true)
	s.phase, s.broken = failed, refused{}
}

// comesToNothing notes an attempt that is refused, or that its machine gives up.
func (w *World) comesToNothing(s *socket, refused bool) {
	a := s.attempt()
	a.Over, a.Refused = w.now, refused
	w.attempts = append(w.attempts, a)
	s.attempted = len(w.attempts)
}

func (s *socket) attempt() Attempt {
	a := Attempt{Addr: s.remote, Dialled: s.dialled}
	a.of(s)
	return a
}

// of notes whose attempt it is. If it is refused at once, its machine is known later.
func (a *Attempt) of(s *socket) {
	if m := s.machine(); m != nil && m.Kind != nil {
		a.Machine, a.Kind = m.ID(), m.Kind.Name()
	}
}

// Attempts returns those of the run that came to nothing, and those that have no answer yet.
func (w *World) Attempts() []Attempt {
	all := slices.Clone(w.attempts)
	for _, s := range w.sockets[1:] {
		if s.driver != nil && s.phase == unanswered {
			a := s.attempt()
			a.Pending = true
			all = append(all, a)
		}
	}
	return all
}
