package fuzz

import (
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search/feedback"
	"github.com/stator-go/stator/fuzz/trace"
)

// deepOf is of how many runs one is compared with others: these further runs look like
// news to coverage of code.
const deepOf = 64

// Native lets go test -fuzz make the traces of a spec.
//
// Coverage of code does not see a machine's state, as a table is run by the same code in
// each state. So Native tells go test -fuzz of transitions, of states that machines rest
// in, and of what probes report. Still [Find] gets further in less time: in a protocol of
// twelve steps, go test -fuzz -fuzzminimizetime 1x reaches the fourth in 70 s of two
// cores.
//
// Native writes no [Report]: its runs are made by processes that each know only their
// own, and may be ended at any time.
func Native(f *testing.F, spec Spec) {
	e := newEngine(spec)
	cfg := e.spec.search(Guided)
	for _, tr := range []trace.Trace{
		{{Op: trace.Dial}, {Op: trace.Send}},
		{{Op: trace.Dial}, {Op: trace.ShortRead, B: 5}, {Op: trace.Send}, {Op: trace.Advance, A: 1, B: 4}, {Op: trace.Reset}},
		talk,
	} {
		f.Add(cfg.Bytes(tr))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := cfg.Trace(b)
		hash := xxhash.Sum64(b)
		failure := e.judge.Check(tr, hash%deepOf == 0, nil)
		e.cover.EachCoarse(func(feature uint32) { feedback.Tell(feature, uint32(hash>>32)) })
		if failure == nil {
			return
		}
		found, journal := &Finding{Runs: 1, Events: len(tr)}, report.NewJournal()
		if f := e.judge.Check(tr, true, journal); f != nil {
			found.tell(report.OfRun(e.judge, e.spec.dict(), tr, f, journal))
		} else {
			found.tell(report.OfLost(e.judge, e.spec.dict(), tr, failure, journal))
		}
		t.Error(found.Explain())
	})
}

// talk is a connection that sends much. Most changes of it send something else at one
// place; in a short trace they would have to make a place first.
var talk = append(trace.Trace{{Op: trace.Dial}}, slices.Repeat(trace.Trace{{Op: trace.Send}}, 20)...)
