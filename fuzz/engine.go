package fuzz

import (
	"slices"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// engine is what runs of a Spec are made with. Its own worker makes the runs that nothing
// else is made beside; a search may have more workers.
type engine struct {
	*runner
	spec  *Spec
	known *search.Known
	tally *report.Tally // nil: no report is wanted
	notes judge.Notes   // of all runs of the search
	found sim.Found     // in them
	early []early       // runs

	shrinkBy time.Time // when shrinking ends at the latest; zero: when it is done
}

// runner makes runs, on any one goroutine. A trace goes into the world, which runs it. What
// happens is observed by the judge and by coverage.
type runner struct {
	world *sim.World
	judge *judge.Judge
	cover *search.Coverage
	maker *search.Maker // nil: it makes runs of given traces only
}

func newEngine(spec Spec) *engine {
	e := &engine{spec: spec.filled(), known: search.NewKnown()}
	e.runner = newRunner(e.spec)
	return e
}

func newRunner(spec *Spec) *runner {
	w := &runner{world: sim.New(spec.world()), cover: search.NewCoverage()}
	w.judge = judge.New(w.world, spec.judges())
	w.world.Attach(w.cover)
	return w
}

// count makes a tally of the runs to come, if a report is wanted.
func (e *engine) count() {
	if e.spec.Report {
		e.tally = report.NewTally(e.known)
	}
}

// shrink returns an account of the shortest trace that it finds of those that fail as tr
// does.
func (e *engine) shrink(tr trace.Trace, f *judge.Failure) *report.Account {
	return report.OfResult(e.judge, e.spec.dict(), shrink.Shrink(e.judge, e.spec.dict(), tr, f, e.shrinkBy))
}

// conclude adds to a Finding what is known when all runs are made.
func (e *engine) conclude(f *Finding, b Budget) *Finding {
	f.Undecided = e.notes.Undecided
	cfg := e.judge.Config()
	f.Missing = e.known.Missing()
	f.Unseen = slices.Concat(e.known.Unseen(e.spec.Sometimes), cfg.Idle(&e.notes), e.spec.roles.Idle(e.found.Played))
	if e.tally == nil {
		return f
	}
	made := report.Search{Seed: f.Seed, Runs: f.Runs, Events: f.Events, Corpus: f.Corpus, Budget: b.String(), Spec: e.spec.String()}
	made.Judges = cfg.Names()
	if f.Failure != nil {
		made.Found = f.account
	}
	scout := judge.New(sim.New(e.spec.world()), cfg)
	r := report.New(e.tally, made, e.known.Claims(e.spec.Sometimes), scout)
	f.Report = &Report{r.Name, r}
	return f
}
