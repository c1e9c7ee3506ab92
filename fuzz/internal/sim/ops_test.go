package sim

import (
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A trace lowers the limits of loops, and raises none. It leaves slots for what Setup makes.
func TestLimit(t *testing.T) {
	tr := trace.Trace{{Op: trace.Scarce, A: 1, B: 2}, {Op: trace.Limit, A: 3, B: 4}}
	for _, c := range []struct {
		own       reactor.Stats
		cfg, want reactor.Config
	}{
		{reactor.Stats{}, reactor.Config{Slots: 64}, reactor.Config{Slots: 3, Steps: 4, Timers: 2, Buffers: 9 << 10}},
		{reactor.Stats{Machines: 2, TimersArmed: 3, Held: 1 << 10}, reactor.Config{Slots: 64}, reactor.Config{Slots: 5, Steps: 4, Timers: 5, Buffers: 10 << 10}},
		{reactor.Stats{Machines: 2}, reactor.Config{Slots: 4, Timers: 1, Buffers: 8 << 10, Steps: 2}, reactor.Config{Slots: 4, Steps: 2, Timers: 1, Buffers: 8 << 10}},
	} {
		w := World{trace: tr, own: []reactor.Stats{c.own}}
		if w.limit(0, &c.cfg); c.cfg != c.want {
			t.Errorf("got %+v, want %+v", c.cfg, c.want)
		}
	}
}
