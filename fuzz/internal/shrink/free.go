package shrink

import (
	"slices"

	"github.com/stator-go/stator/fuzz/trace"
)

// What of a trace does not matter for its failure: once the trace is as short as it gets,
// other values are tried for each argument, and each event is swapped with the next one.

// mostFree is the length of the longest trace that is examined: people do not read longer
// ones event by event.
const mostFree = 64

// Freedom is what may be different about an event, with the trace still failing in the
// same way.
type Freedom struct {
	Args  []string // arguments that may have any value
	Swaps bool     // the event may come after the next one
}

// free returns the Freedom of each event of s.best, or nil if the trace is too long
// or has a Repeat, whose runs are, or if there is not enough time.
func (s *shrinker) free() (all []Freedom) {
	if s.late() || len(s.best) > mostFree || slices.ContainsFunc(s.best, func(e trace.Event) bool { return e.Op == trace.Repeat }) {
		return nil
	}
	for at, e := range s.best {
		if s.late() {
			return nil
		}
		var f Freedom
		a, b := e.Op.Args()
		for _, arg := range []struct {
			name string
			of   func(*trace.Event) *uint16
		}{
			{a, func(e *trace.Event) *uint16 { return &e.A }},
			{b, func(e *trace.Event) *uint16 { return &e.B }},
		} {
			if arg.name != "" && s.anyValue(at, arg.of) {
				f.Args = append(f.Args, arg.name)
			}
		}
		f.Swaps = at+1 < len(s.best) && s.swaps(at)
		all = append(all, f)
	}
	return all
}

// anyValue reports whether the trace also fails with other values of an argument: some
// close to its own, some far from it.
func (s *shrinker) anyValue(at int, of func(*trace.Event) *uint16) bool {
	for _, change := range []func(uint16) uint16{
		func(v uint16) uint16 { return v + 1 },
		func(v uint16) uint16 { return v + 2 },
		func(v uint16) uint16 { return v ^ 1 },
		func(v uint16) uint16 { return v + 37 },
		func(uint16) uint16 { return trace.MaxArg },
	} {
		tr := append(trace.Trace{}, s.best...)
		v := of(&tr[at])
		if *v = change(*v); !s.fails(tr) {
			return false
		}
	}
	return true
}

// swaps reports whether an event may come after the next one.
func (s *shrinker) swaps(at int) bool {
	tr := append(trace.Trace{}, s.best...)
	tr[at], tr[at+1] = tr[at+1], tr[at]
	return tr[at] != tr[at+1] && s.fails(tr)
}

// fails reports whether a trace fails in the same way.
func (s *shrinker) fails(tr trace.Trace) bool { return s.run(tr).Same(s.f) }
