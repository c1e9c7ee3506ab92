package sim

import (
	"github.com/stator-go/stator/reactor/driver"

	"github.com/stator-go/stator/reactor"
)

// stepper takes turns: a reactor.Stepper, or a loop that is written by hand.
type stepper interface {
	Turn() (over bool)
	Until() int64
	Leave()
	Stop()
}

// BareLoop is a loop that is written by hand over a driver: see fuzz.BareLoop.
type BareLoop interface {
	stepper
	Stats() reactor.Stats
}

// Bare puts a loop that is written by hand in the place of the i-th one.
func (w *World) Bare(i int, loop func(driver.Driver) BareLoop) {
	for w.steps[i].Stop(); !w.drivers[i].over; {
		w.steps[i].Turn()
	}
	d := w.newDriver(i)
	w.drivers[i], w.loops[i] = d, nil
	w.steps[i] = loop(d)
}

// stats returns a loop's counters, and whether it runs.
func (w *World) stats(i int) (reactor.Stats, bool) {
	if b, ok := w.steps[i].(BareLoop); ok {
		return b.Stats(), true
	}
	s, err := w.loops[i].Stats()
	return s, err == nil
}
