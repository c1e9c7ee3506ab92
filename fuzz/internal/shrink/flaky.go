package shrink

import (
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// A flaky failure comes and goes: machines do not do the same each time. A trace is then
// run several times, and counts as failing if one of the runs fails.

// FlakyRuns is how many runs of a trace are made to find out whether it fails.
const FlakyRuns = 10

// shrinkFlaky shrinks a trace that failed once. A smaller trace counts if one of its runs
// fails in the same way, or, for a failure of determinism, differs from the first run.
func shrinkFlaky(j *judge.Judge, dict trace.Dictionary, tr trace.Trace, f *judge.Failure, by time.Time) Result {
	j.World().ExpectChatter(false)
	s := &shrinker{j: j, best: tr, f: f, by: by}
	s.run = func(tr trace.Trace) *judge.Failure { return anyRun(j, tr, f) }
	found, deep := false, false
	for _, v := range append(f.Runs[:len(f.Runs):len(f.Runs)], judge.Itself(tr, "")) {
		found = found || !v.Spurious && s.try(v.Trace)
	}
	if !found { // it may show only in a comparison
		s.run, deep = comparing(j, f.OfPressure()), true
		found = s.try(tr)
	}
	repeats := Once
	if found {
		repeats = Sometimes
		s.minimize()
	}
	return Result{Failure: s.f, Trace: dict.Lasting(s.best), Deep: deep, Repeats: repeats, Cut: s.late()}
}

// anyRun runs a trace FlakyRuns times, and returns its failure if a run shows it.
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
