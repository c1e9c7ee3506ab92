package fuzz

import (
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// BareLoop is a loop that is written by hand over a driver, and takes turns as a
// reactor.Stepper does.
type BareLoop interface {
	Turn() (over bool)    // one turn; over: its sockets are closed, and the driver's End was called
	Until() int64         // when it wants the next one by itself: 0 is at once, math.MaxInt64 never
	Leave()               // a shutdown is asked for
	Stop()                // the next turns end it
	Stats() reactor.Stats // Machines are its connections, Stale the events that it dropped
}

// Bare puts, in Setup, a loop written by hand in the place of the i-th one. It has the
// same sockets, peers, clock and faults, and is judged by the same oracles, but for
// those that look at a table. It is for mistakes that the machines of package reactor
// leave no room for.
func (w *World) Bare(i int, loop func(driver.Driver) BareLoop) {
	for w.steps[i].Stop(); !w.drivers[i].over; {
		w.steps[i].Turn()
	}
	d := &simDriver{w: w, loop: i}
	w.drivers[i], w.loops[i] = d, nil
	w.steps[i] = loop(d)
}

// stepper is what the world asks of a loop: a reactor.Stepper, or a BareLoop.
type stepper interface {
	Turn() (over bool)
	Until() int64
	Leave()
	Stop()
}

// stats are a loop's counters, while it runs.
func (w *World) stats(i int) (reactor.Stats, bool) {
	if b, ok := w.steps[i].(BareLoop); ok {
		return b.Stats(), true
	}
	s, err := w.loops[i].Stats()
	return s, err == nil
}
