package fuzz

import (
	"slices"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// engine is what runs of a Spec are made with. A trace goes into the world, which runs
// it. What happens is observed by the judge, by coverage, and by a tally.
type engine struct {
	spec  *Spec
	world *sim.World
	judge *judge.Judge
	cover *search.Coverage
	tally *report.Tally // nil: no report is wanted
}

func newEngine(spec Spec) *engine {
	e := &engine{spec: spec.filled()}
	e.world = sim.New(e.spec.world())
	e.judge = judge.New(e.world, e.spec.judges())
	e.cover = search.NewCoverage()
	e.world.Attach(e.cover)
	return e
}

// count makes a tally of the runs to come, if a report is wanted.
func (e *engine) count() {
	if e.spec.Report {
		e.tally = report.NewTally(e.world, e.cover)
	}
}

// shrink returns an account of the shortest trace that it finds of those that fail as tr
// does.
func (e *engine) shrink(tr trace.Trace, f *judge.Failure) *report.Account {
	return report.OfResult(e.judge, e.spec.dict(), shrink.Shrink(e.judge, e.spec.dict(), tr, f))
}

// conclude adds to a Finding what is known when all runs are made.
func (e *engine) conclude(f *Finding, b Budget) *Finding {
	f.Undecided = e.judge.Undecided()
	f.Simulated = int(e.world.AllEvents())
	f.Missing, f.Unseen = e.cover.Missing(), slices.Concat(e.cover.Unseen(e.spec.Sometimes), e.judge.Idle(), e.world.IdleRoles())
	if e.tally == nil {
		return f
	}
	made := report.Search{Seed: f.Seed, Runs: f.Runs, Events: f.Events, Corpus: f.Corpus, Budget: b.String(), Spec: e.spec.String()}
	cfg := e.judge.Config()
	made.Judges = cfg.Names()
	if f.Failure != nil {
		made.Found = f.account
	}
	scout := judge.New(sim.New(e.spec.world()), cfg)
	r := report.New(e.tally, made, e.cover.Claims(e.spec.Sometimes), scout)
	f.Report = &Report{r.Name, r}
	return f
}
