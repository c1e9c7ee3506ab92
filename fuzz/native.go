package fuzz

import (
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/internal/feedback"
)

// deepOf is of how many runs one is compared with others: what that takes looks like
// news to coverage.
const deepOf = 64

// Native lets go test -fuzz make the traces of a spec. What its coverage does not see
// it is told of: transitions, and what probes say. But all that it keeps gets its turn
// alike, and for each state it keeps more than a hundred ways through the loop's own
// code. So a protocol of twelve steps is Find's matter: in a minute go test -fuzz
// -fuzzminimizetime 1x kept 564 inputs of it, none beyond the third step.
//
// It writes no [Report]: its runs are made by processes, each of which knows of its own
// alone and may be ended at any time.
func Native(f *testing.F, spec Spec) {
	w := newWorld(spec.filled())
	f.Add(w.spec.bytes(Trace{{Op: opDial}, {Op: opSend}}))
	f.Add(w.spec.bytes(Trace{{Op: opDial}, {Op: opShortRead, B: 5}, {Op: opSend}, {Op: opAdvance, A: 1, B: 4}, {Op: opReset}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := w.spec.trace(b)
		failure := w.check(tr, xxhash.Sum64(b)%deepOf == 0)
		w.eachFeature(feedback.Hit)
		if failure != nil {
			w.journal = &journal{}
			found := &Finding{Trace: tr, w: w, Runs: 1, Events: len(tr)}
			found.Failure = w.check(tr, true)
			t.Error(found.Explain())
		}
	})
}

// eachFeature gives out what a run showed by itself: the fine features are too many.
func (w *World) eachFeature(hit func(feature uint32)) {
	for _, h := range w.cover.hits {
		if !h.fine {
			hit(h.feature)
		}
	}
}
