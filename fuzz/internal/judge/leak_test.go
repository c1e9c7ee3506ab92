package judge

import (
	"testing"

	"github.com/stator-go/stator/fuzz/internal/sim"
)

// Growth is a leak if it goes on with the number of connections, also by leaps, and none if
// it comes to an end, or happens once.
func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		name string
		held [spans]int
		want bool
	}{
		{"nothing", [spans]int{7, 7, 7, 7}, false},
		{"one for each connection", [spans]int{4, 16, 64, 256}, true},
		{"by doubling", [spans]int{4, 16, 128, 256}, true},
		{"up to a bound", [spans]int{4, 16, 64, 64}, false},
		{"up to a bound in the last span", [spans]int{4, 16, 64, 90}, false},
		{"at the end", [spans]int{4, 4, 4, 256}, false},
		{"shrinking", [spans]int{9, 8, 7, 6}, false},
	} {
		j := New(sim.New(sim.Config{Loops: 1, Conns: 1}), Config{})
		for i, n := range c.held {
			j.leaks.samples = append(j.leaks.samples, held{Holdings: sim.Holdings{Timers: n}, lives: 1 << (2 * i)})
		}
		if got := j.judgeGrowth("timers", func(h *held) int { return h.Timers }, 0); got != c.want {
			t.Errorf("%s: %v, %v: want %v", c.name, got, j.Failure(), c.want)
		}
	}
}
