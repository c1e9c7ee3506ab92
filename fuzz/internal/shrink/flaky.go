package shrink

import (
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// Flaky failures come and go: machines do not do the same each time. A trace is then
// judged by several runs of it.

// FlakyRuns is how many runs of a trace are asked whether it fails.
const FlakyRuns = 10

// shrinkFlaky shrinks a trace that failed once, as far as one of its runs still does: in
// the same way, or, for a failure of determinism, by differing from the first run.
func shrinkFlaky(j *judge.Judge, dict trace.Dictionary, tr trace.Trace, f *judge.Failure) Result {
	j.World().CutChatter(false)
	s := &shrinker{j: j, best: tr, f: f}
	s.run = func(tr trace.Trace) *judge.Failure { return anyRun(j, tr, f) }
	found, deep := false, false
	for _, v := range append(f.Runs[:len(f.Runs):len(f.Runs)], judge.Itself(tr, "")) {
		found = found || !v.Spurious && s.try(v.Trace)
	}
	if !found { // it may be seen only where traces are compared
		s.run, deep = deeply(j), true
		found = s.try(tr)
	}
	sure := Once
	if found {
		sure = Sometimes
		s.minimize()
	}
	return Result{Failure: s.f, Trace: dict.Lasting(s.best), Deep: deep, Sure: sure}
}

// anyRun returns the failure of a trace if one of some runs shows it.
func anyRun(j *judge.Judge, tr trace.Trace, f *judge.Failure) *judge.Failure {
	first := uint64(0)
	for n := range FlakyRuns {
		g := j.Check(tr, false, nil)
		switch sum := j.World().Sum(); {
		case f.Oracle != judge.Determinism:
			if g.Same(f) {
				return g
			}
		case n == 0:
			first = sum
		case sum != first:
			return judge.Unsteady(tr)
		}
	}
	return nil
}
