package shrink

import (
	"testing"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// For a trace that does not fail, no order of events counts as free.
func TestPassingTraceHasNoFreeOrder(t *testing.T) {
	order := trace.Trace{{Op: trace.Dial}, {Op: trace.Dial, On: 1}, {Op: trace.Send, A: 1}}
	s := &shrinker{best: order, f: &judge.Failure{}, run: func(trace.Trace) *judge.Failure { return nil }}
	if s.swaps(0) {
		t.Error("a trace that passes has a free order")
	}
}
