// Package probe lets handlers report to a simulated run: conditions that must always
// hold, conditions that some run must show, and values that show progress.
//
// Keep a [Probe] in a machine's prototype. In production it is the zero Probe, whose
// methods do nothing: each compares a pointer with nil, which costs about a nanosecond
// and does not allocate. In a test, fuzz.World.Probe returns one that reports to the
// run:
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
// Each Probe belongs to one run, so runs in one process do not disturb each other. Call
// its methods from handlers, or from other code on the loop's goroutine. A name
// identifies a condition or value: two calls with the same name are about the same
// thing, so use constants.
//
// The package imports nothing, so production code that uses it links nothing else.
package probe

// Probe reports what a machine's code sees. The methods of the zero Probe do nothing.
// A Probe is one pointer and may be copied.
type Probe struct{ to *sink }

type sink struct{ Listener }

// Listener receives the reports of a Probe. Simulated runs implement it.
type Listener interface {
	Always(name string, holds bool, format string, values []int)
	Sometimes(name string, seen bool)
	Mark(name string, value int)
}

// New returns a Probe that reports to l.
func New(l Listener) Probe { return Probe{&sink{l}} }

// Always reports a condition that must hold each time this call is reached. The run
// fails if holds is false.
func (p Probe) Always(name string, holds bool) {
	if p.to != nil {
		p.to.Always(name, holds, "", nil)
	}
}

// Alwaysf is Always with values that the failure shows, by a format of package fmt:
//
//	s.probe.Alwaysf("three tries at most", s.tries <= 3, "%d tries, of %d bytes", s.tries, n)
//
// Values are integers, so that the call allocates nothing in production.
func (p Probe) Alwaysf(name string, holds bool, format string, values ...int) {
	if p.to != nil {
		p.to.Always(name, holds, format, append([]int(nil), values...)) // a copy: values need not escape
	}
}

// Sometimes reports a condition that must be true in at least one run of a search.
// fuzz.Finding.Unseen lists the conditions that were true in no run. A search of
// fuzz.UnseenRuns (10,000) runs fails if the list is not empty. A condition whose call no
// run reaches is not known and not listed: name it in fuzz.Spec.Sometimes if it must be
// reached too.
func (p Probe) Sometimes(name string, seen bool) {
	if p.to != nil {
		p.to.Sometimes(name, seen)
	}
}

// Mark reports a value that shows how far a machine got. A guided search keeps traces that
// bring the value to a new maximum, and traces for each range between powers of two that
// the value was in: 0, 1, 2 to 3, 4 to 7 and so on, and the same for negative values. So
// report a count or a length, not a hash.
func (p Probe) Mark(name string, value int) {
	if p.to != nil {
		p.to.Mark(name, value)
	}
}

// On reports whether p reports to a run. Use it to skip work that only a probe needs.
func (p Probe) On() bool { return p.to != nil }
