package sim

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// In production loops run at the same time: one handles a message while the handler that sent
// it is still under way on another loop. Here a fault has the receiving loop take a turn within
// the call that sends.

// doInterleave has a loop take turns at once for what it is sent next.
func (w *World) doInterleave(e trace.Event) {
	if int(e.On) < len(w.drivers) {
		d := w.drivers[e.On]
		d.armed.interleaves = trace.Times(e.A)
		d.doze()
	}
}

// stepper returns what makes the turns of a loop of machines; nil for one that is written by
// hand, or has ended.
func (d *simDriver) stepper() *reactor.Stepper {
	s, _ := d.w.steps[d.loop].(*reactor.Stepper)
	if d.over {
		return nil
	}
	return s
}

// doze has the loop call Wake for what it is sent before its next turn.
func (d *simDriver) doze() {
	if s := d.stepper(); s != nil {
		s.Doze()
	}
}

// interleave lets the loop take a turn now, if a fault says so and it is not in a turn. It
// reports whether it did.
func (d *simDriver) interleave() bool {
	if d.armed.interleaves == 0 || d.w.halted {
		return false
	}
	s := d.stepper()
	if s == nil || !s.CanTurn() {
		return false
	}
	d.armed.interleaves--
	d.w.struck(trace.Interleave, nil)
	d.w.note(noteInterleave, uint64(d.loop), 0)
	d.w.takeTurn(d)
	return true
}
