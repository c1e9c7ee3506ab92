package judge

import (
	"math"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
)

// The first deadline of a stay in a state is the earliest one of the row.
func TestFirstDeadline(t *testing.T) {
	const second = int64(time.Second)
	life := 10 * second
	for _, c := range []struct {
		name string
		life int64
		m    sim.Machine
		row  bound
		at   int64
	}{
		{"none", 0, sim.Machine{Lives: true}, bound{}, math.MaxInt64},
		{"", 0, sim.Machine{Lives: true, State: fsm.Stop}, bound{within: second}, math.MaxInt64}, // over
		{"Within", life, sim.Machine{Lives: true, Since: 2}, bound{within: second, idle: 3 * second}, second + 2},
		{"Idle", life, sim.Machine{Lives: true, Since: 2, Heard: 4}, bound{within: 5 * second, idle: second}, second + 4},
		{"Stall", life, sim.Machine{Lives: true, Stuck: [4]int64{1: 7}}, bound{within: 5 * second, stall: second}, second + 7},
		{"Within", life, sim.Machine{Lives: true}, bound{within: 5 * second, stall: second}, 5 * second}, // nothing is stuck
		{"the life's Within", life, sim.Machine{Lives: true, Born: 3, Since: 9 * second}, bound{within: 5 * second}, 10*second + 3},
		{"Within", life, sim.Machine{Lives: true, Born: 3, Since: 11 * second}, bound{within: 5 * second}, 16 * second}, // it led on already
	} {
		b := bounds{rows: []bound{c.row}, life: c.life}
		at, name := b.first(&c.m, true)
		if at != c.at || at != math.MaxInt64 && name != c.name {
			t.Errorf("%s at %d: want %s at %d", name, at, c.name, c.at)
		}
	}
}
