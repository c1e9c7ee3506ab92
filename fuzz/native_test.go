package fuzz

import (
	"slices"
	"testing"

	"github.com/stator-go/stator/fuzz/internal/search/feedback"
	"github.com/stator-go/stator/fuzz/trace"
)

// FuzzSecret measures Native: coverage of code does not show the steps of its protocol.
func FuzzSecret(f *testing.F) { Native(f, secretSpec(len(secretWord), false, false)) }

// Native reports a new state by a number that no other state has. It does not report what
// was before the state, or which fault met it.
func TestNativeTellsOfStates(t *testing.T) {
	spec := secretSpec(len(secretWord), false, false)
	w := newEngine(spec)
	told := func(tr trace.Trace) (all []uint32) {
		if f := w.check(tr, false); f != nil {
			t.Fatal(f)
		}
		w.cover.EachCoarse(func(feature uint32) { all = append(all, feature%feedback.Cases) })
		return all
	}
	tr := trace.Trace{{Op: trace.Dial}}
	before := told(tr)
	for _, b := range []byte(secretWord[:6]) {
		word := slices.Index(secretBytes, string([]byte{b}))
		tr = append(tr, trace.Event{Op: trace.Send, A: uint16(word)})
		now := told(tr)
		if fresh := slices.DeleteFunc(slices.Clone(now), func(f uint32) bool { return slices.Contains(before, f) }); len(fresh) < 1 {
			t.Errorf("%d steps tell nothing that fewer did not", len(tr)-1)
		}
		before = append(before, now...)
	}
	faulty := append(slices.Clone(tr), trace.Event{Op: trace.BlockRead})
	if got := told(faulty); len(got) != len(told(tr)) {
		t.Errorf("a fault is told of: %d numbers, and %d without it", len(got), len(told(tr)))
	}
}
