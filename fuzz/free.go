package fuzz

import (
	"fmt"
	"strings"

	"github.com/stator-go/stator/fuzz/trace"
)

// What of a failure does not matter: when a trace is as short as it gets, each of its
// arguments is tried with other values, and each event in its neighbour's place.

// mostFree is how many events are looked at: a trace that is longer is not read.
const mostFree = 64

// free tells, event by event, what could be different and fail the same.
func (s *shrinker) free() (all [][]string) {
	if len(s.best) > mostFree {
		return nil
	}
	for at, e := range s.best {
		a, b := e.Op.Args()
		var names []string
		for _, arg := range []struct {
			name string
			of   func(*trace.Event) *uint16
		}{
			{a, func(e *trace.Event) *uint16 { return &e.A }},
			{b, func(e *trace.Event) *uint16 { return &e.B }},
		} {
			if arg.name != "" && s.anyValue(at, arg.of) {
				names = append(names, arg.name)
			}
		}
		var free []string
		if len(names) > 0 {
			free = append(free, "any value of "+strings.Join(names, ", of "))
		}
		if at+1 < len(s.best) && s.swaps(at) {
			free = append(free, fmt.Sprintf("before or after event %d", at+2))
		}
		all = append(all, free)
	}
	return all
}

// anyValue tries other values of an argument: small ones, large ones, others.
func (s *shrinker) anyValue(at int, of func(*trace.Event) *uint16) bool {
	for _, change := range []func(uint16) uint16{
		func(v uint16) uint16 { return v + 1 },
		func(v uint16) uint16 { return v + 2 },
		func(v uint16) uint16 { return v ^ 1 },
		func(v uint16) uint16 { return v + 37 },
		func(uint16) uint16 { return 1<<16 - 1 },
	} {
		tr := append(trace.Trace{}, s.best...)
		v := of(&tr[at])
		if *v = change(*v); !s.fails(tr) {
			return false
		}
	}
	return true
}

func (s *shrinker) swaps(at int) bool {
	tr := append(trace.Trace{}, s.best...)
	tr[at], tr[at+1] = tr[at+1], tr[at]
	return tr[at] != tr[at+1] && s.fails(tr)
}

// fails tells whether a trace fails in the same way.
func (s *shrinker) fails(tr trace.Trace) bool { return s.judge(tr).same(s.f) }
