package fuzz

import (
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search/feedback"
	"github.com/stator-go/stator/fuzz/trace"
)

// deepOf: one of this many runs gets the checks that compare runs. More would mislead the
// coverage of code: the further runs of a check look like something new.
const deepOf = 64

// Native makes the runs of a spec with go test -fuzz. Call it in a Fuzz function.
//
// Coverage of code does not show a machine's state, as the same code runs a table in each
// state. So Native also reports the coarse features of a run to go test -fuzz:
// transitions, states in which machines rest, and what probes report.
//
// Native does less than [Run]. The checks that compare runs are made for one run of 64. A
// failing trace is not shrunk, and not kept under testdata/traces: go test -fuzz keeps its
// own input. There is no [Report], as go test -fuzz makes the runs in several processes and
// may end them at any time.
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
