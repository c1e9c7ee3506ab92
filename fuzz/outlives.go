package fuzz

import (
	"fmt"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// A run must depend on its trace alone. If machines share what Setup does not make anew, such
// as a global, a trace may fail after others, and pass by itself. Nothing can take such
// state back. So a search keeps some of its first traces, all of which passed. Once a run
// fails, it runs those again, and says so if they are not as they were.

// mostEarly is how many traces are kept.
const mostEarly = 8

// early is one of the first runs of a search. It passed.
type early struct {
	number int // from 1 on
	trace  trace.Trace
	sum    uint64 // of all that happened
}

// keep keeps a run, if it is one of the first that was made once.
func (e *engine) keep(o *outcome, n int) {
	if len(e.early) < mostEarly && !compared(n) && !pressed(n) && o.failure == nil {
		e.early = append(e.early, early{n + 1, o.trace, o.sum})
	}
}

// outlives returns what shows that something outlives runs; empty: nothing does. A run that
// differs each time shows only that machines are not deterministic.
func (e *engine) outlives() string {
	for _, first := range e.early {
		f, sum := e.again(first.trace)
		if f == nil && sum == first.sum {
			continue
		}
		if g, same := e.again(first.trace); same != sum || (f == nil) != (g == nil) {
			continue
		}
		differs := "does something else"
		if f != nil {
			differs = "fails"
		}
		return fmt.Sprintf("Something outlives runs (a global, what a kind or a package keeps, what Setup does not make anew?): run %d passed, and %s when it is made again after the others. The trace below may pass by itself.", first.number, differs)
	}
	return ""
}

// again makes a run once more, without a comparison.
func (e *engine) again(tr trace.Trace) (f *judge.Failure, sum uint64) {
	f = e.judge.Check(tr, false, nil)
	return f, e.world.Sum()
}
