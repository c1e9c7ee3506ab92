package fuzz

import (
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/internal/feedback"
	"github.com/stator-go/stator/fuzz/trace"
)

// deepOf is of how many runs one is compared with others: what that takes looks like
// news to coverage.
const deepOf = 64

// turns is by how many inputs a feature is kept: go test -fuzz gives all that it keeps
// its turn alike, and of the loop's own code it keeps some hundreds of ways through it.
// Beside one input for a state that is new, many give it a share of the turns.
const turns = 32

// Native lets go test -fuzz make the traces of a spec. What its coverage does not see
// it is told of: transitions, states that machines rest in, and what probes say. Still
// a protocol of twelve steps is Find's matter: in 70 s of two cores go test -fuzz
// -fuzzminimizetime 1x comes to its fourth step.
//
// It writes no [Report]: its runs are made by processes, each of which knows of its own
// alone and may be ended at any time.
func Native(f *testing.F, spec Spec) {
	w := newWorld(spec.filled())
	f.Add(w.spec.bytes(trace.Trace{{Op: trace.Dial}, {Op: trace.Send}}))
	f.Add(w.spec.bytes(trace.Trace{{Op: trace.Dial}, {Op: trace.ShortRead, B: 5}, {Op: trace.Send}, {Op: trace.Advance, A: 1, B: 4}, {Op: trace.Reset}}))
	f.Add(w.spec.bytes(talk))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := w.spec.trace(b)
		hash := xxhash.Sum64(b)
		failure := w.check(tr, hash%deepOf == 0)
		w.eachFeature(func(feature uint32) {
			feedback.Hit(feature)
			feedback.Hit((feature + uint32(hash>>32%turns)<<featureBits) * featurePrime >> featureBits)
		})
		if failure != nil {
			w.journal = &journal{}
			found := &Finding{Trace: tr, w: w, Runs: 1, Events: len(tr)}
			if found.Failure = w.check(tr, true); found.Failure == nil {
				failure.comes = "It came once, and not again when its trace was run once more."
				found.Failure = failure
			}
			t.Error(found.Explain())
		}
	})
}

// talk is a connection with much to say: most changes of it say something else at a
// place, where in a short trace they would have to make a place first.
var talk = append(trace.Trace{{Op: trace.Dial}}, slices.Repeat(trace.Trace{{Op: trace.Send}}, 20)...)

// eachFeature gives out what a run showed by itself: the fine features are too many.
func (w *World) eachFeature(hit func(feature uint32)) {
	for _, h := range w.cover.hits {
		if !h.fine {
			hit(h.feature)
		}
	}
}
