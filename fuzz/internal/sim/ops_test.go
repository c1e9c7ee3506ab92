package sim

import (
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A trace lowers the limits of loops.
func TestLimit(t *testing.T) {
	var config reactor.Config
	limit(trace.Trace{{Op: trace.Scarce, A: 1, B: 2}, {Op: trace.Limit, A: 3, B: 4}}, &config)
	if config.Slots = 3; config.Buffers != 9<<10 || config.Timers != 2 || config.Steps != 4 {
		t.Errorf("%+v: want 9 KiB, 2 timers, 4 steps", config)
	}
}
