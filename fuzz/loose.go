package fuzz

import (
	"fmt"

	"github.com/stator-go/stator/fuzz/trace"
)

// Failures that come and go: where machines do not do the same each time, a trace is
// judged by several runs of it, and people are told so.

// looseRuns is how many runs of a trace are asked whether it fails.
const looseRuns = 10

// shrinkLoose shrinks a trace that failed once, as far as one of its runs does still:
// in the same way, or, for a failure of D, by not being like the first one.
func (w *World) shrinkLoose(tr trace.Trace, f *Failure) *Finding {
	w.hears = chattering
	s := &shrinker{w: w, best: tr, f: f}
	s.judge = func(tr trace.Trace) *Failure { return w.loosely(tr, f) }
	found := false
	for _, v := range append(f.runs[:len(f.runs):len(f.runs)], itself(tr, "")) {
		found = found || !v.haunted && s.try(v.trace)
	}
	if !found { // it may be seen only where traces are compared
		s.judge = w.deep
		found = s.try(tr)
	}
	if found {
		s.minimize()
	}
	s.best = trace.Dictionary(w.spec.Dict).Lasting(s.best)
	again := w.show(s)
	switch {
	case !found:
		again.comes = fmt.Sprintf("It came once, and not again in %d more runs of its trace, which is therefore not shrunk.", looseRuns)
	case f.Oracle == string(oracleSame):
		again.comes = fmt.Sprintf("It was shrunk by %d runs of each shorter trace, two of which differed: one run alone may show nothing.", looseRuns)
	default:
		again.comes = fmt.Sprintf("It comes and goes: the same trace does not fail each time (%s).\nIt was shrunk by %d runs of each shorter trace, one of which failed: one run alone may show nothing.", unsteadyWhy, looseRuns)
	}
	return &Finding{Failure: again, Trace: s.best, w: w}
}

// loosely is the failure of a trace if one of some runs shows it.
func (w *World) loosely(tr trace.Trace, f *Failure) *Failure {
	first := uint64(0)
	for n := range looseRuns {
		g := w.shallow(tr)
		switch sum := w.sum(); {
		case f.Oracle != string(oracleSame):
			if g.same(f) {
				return g
			}
		case n == 0:
			first = sum
		case sum != first:
			return w.unsteady(tr)
		}
	}
	return nil
}

// looseTales is how many runs are told until one shows what comes and goes.
const looseTales = 10 * looseRuns

// show is the failure of a shrinker with a tale of a run that shows it, or of any run
// if none does.
func (w *World) show(s *shrinker) *Failure {
	for range looseTales {
		w.journal = &journal{}
		if s.f.Oracle == string(oracleSame) {
			w.tellApart(s.f)
			w.journal = &journal{}
			if s.f.told != nil {
				return s.f
			}
		} else if g := w.shallow(s.best); g.same(s.f) {
			return g
		}
	}
	f := *s.f
	tally := w.tally
	w.tally = nil
	f.told = []story{w.narrate(itself(s.best, "in a run that does not show it"), nil)}
	w.tally = tally
	return &f
}
