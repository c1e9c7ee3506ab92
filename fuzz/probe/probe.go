// Package probe is how the code of machines speaks to a simulated run: what must
// always hold, what some run must show, and which values say that it got further.
//
// A [Probe] travels in a machine's prototype, as all that a machine needs does.
// Production leaves it zero, and then its methods do nothing: they compare a pointer
// with nil, and cost a nanosecond and no allocation. A World of package fuzz gives
// one to the prototypes of a run (World.Probe), and is told:
//
//	type session struct {
//		probe probe.Probe
//		tries int
//	}
//
//	func (s *session) login(cx *cx, m *msg) reactor.State {
//		s.tries++
//		s.probe.Always("three tries at most", s.tries <= 3)
//		s.probe.Sometimes("the third try succeeds", s.tries == 3 && m.ok)
//		s.probe.Mark("tries", s.tries)
//		...
//
// A Probe knows its run, so that any number of runs go on beside each other in one
// process. It is for handlers, and for what else happens on the loop's goroutine.
// Names are constants: two calls with one name speak of one thing.
//
// The package imports nothing, so that what ships imports nothing for it.
package probe

// Probe is where a machine's code says what it sees. The zero Probe is nobody's: its
// methods do nothing. It is one pointer, to be copied.
type Probe struct{ to *sink }

type sink struct{ Listener }

// Listener is who is told: a simulated run.
type Listener interface {
	Always(name string, holds bool)
	Sometimes(name string, seen bool)
	Mark(name string, value int)
}

// New is a probe that tells l.
func New(l Listener) Probe { return Probe{&sink{l}} }

// Always says that something holds whenever a run comes by here: a run in which it
// does not fails.
func (p Probe) Always(name string, holds bool) {
	if p.to != nil {
		p.to.Always(name, holds)
	}
}

// Sometimes says that something is seen in some run: a long search without any such
// run fails. It says so from the first time that a run comes by here, be seen true or
// not; what may never come by is named in fuzz.Spec.Sometimes as well.
func (p Probe) Sometimes(name string, seen bool) {
	if p.to != nil {
		p.to.Sometimes(name, seen)
	}
}

// Mark tells a value that says how far a machine got: a search keeps what brought it
// into another power of two, or higher than any run before.
func (p Probe) Mark(name string, value int) {
	if p.to != nil {
		p.to.Mark(name, value)
	}
}

// On tells whether anybody listens: for what is too dear to work out else.
func (p Probe) On() bool { return p.to != nil }
