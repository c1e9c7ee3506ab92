package shrink

import "github.com/stator-go/stator/fuzz/trace"

// What of a failure does not matter: when a trace is as short as it gets, each of its
// arguments is tried with other values, and each event in its neighbour's place.

// mostFree is how many events are looked at: longer traces are not read.
const mostFree = 64

// Freedom is what could be different about an event, with the trace failing the same.
type Freedom struct {
	Args  []string // arguments that may have any value
	Swaps bool     // the event may come after the next one
}

func (s *shrinker) free() (all []Freedom) {
	if len(s.best) > mostFree {
		return nil
	}
	for at, e := range s.best {
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

// anyValue reports whether other values of an argument fail the same: some of each size.
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
