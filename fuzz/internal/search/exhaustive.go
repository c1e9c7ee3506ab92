package search

import (
	"slices"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// counter enumerates all traces over a set of events, the short ones first.
type counter struct {
	letters trace.Trace
	digits  []int // of the trace at hand
	depth   int
}

// newCounter returns a counter for a world, with the events that its last run made possible.
func newCounter(cfg *Config, w *sim.World, depth int) *counter {
	c := &counter{depth: depth}
	for on := range uint16(min(2, cfg.Conns)) {
		for _, listener := range w.Dialable() {
			c.letters = append(c.letters, trace.Event{Op: trace.Dial, On: on, A: listener})
		}
		for _, word := range cfg.numbers() {
			c.letters = append(c.letters, trace.Event{Op: trace.Send, On: on, A: word})
		}
		for _, op := range []trace.Op{trace.Finish, trace.Close, trace.Reset} {
			c.letters = append(c.letters, trace.Event{Op: op, On: on})
		}
	}
	for action := range w.Actions() {
		for arg := range uint16(2) {
			c.letters = append(c.letters, trace.Event{Op: trace.Act, On: uint16(action), A: arg})
		}
	}
	for _, unit := range []uint16{1, 3, 4} {
		c.letters = append(c.letters, trace.Event{Op: trace.Advance, A: 1, B: unit})
	}
	for loop := range w.Loops() {
		c.letters = append(c.letters, trace.Event{Op: trace.Leave, On: uint16(loop)})
	}
	c.letters = slices.DeleteFunc(c.letters, cfg.Faults.OffEvent)
	return c
}

// next returns the next trace; ok is false when there are no more.
func (c *counter) next() (tr trace.Trace, ok bool) {
	if len(c.letters) == 0 {
		return nil, false
	}
	for at := len(c.digits) - 1; ; {
		if !c.step(at) {
			return nil, false
		}
		tr = make(trace.Trace, len(c.digits))
		for i, d := range c.digits {
			tr[i] = c.letters[d]
		}
		if at = idle(tr); at == len(tr) {
			return tr, true
		}
	}
}

// step increments the digit at an index, and sets those behind it to their first value.
func (c *counter) step(at int) bool {
	clear(c.digits[at+1:])
	for ; at >= 0; at-- {
		if c.digits[at]++; c.digits[at] < len(c.letters) {
			return true
		}
		c.digits[at] = 0
	}
	c.digits = append(c.digits, 0)
	clear(c.digits)
	return len(c.digits) <= c.depth
}

// idle returns the index of the first event that does nothing, or that makes the trace
// equivalent to another one; the length of the trace if there is none.
func idle(tr trace.Trace) int {
	const none, open, finished = 0, 1, 2
	var conns [2]int
	dialled, left := 0, [256]bool{}
	for i, e := range tr {
		switch e.Op {
		case trace.Dial:
			if conns[e.On] != none || int(e.On) > dialled {
				return i
			}
			conns[e.On], dialled = open, max(dialled, int(e.On)+1)
		case trace.Send, trace.Finish:
			if conns[e.On] != open {
				return i
			}
			if e.Op == trace.Finish {
				conns[e.On] = finished
			}
		case trace.Close, trace.Reset:
			if conns[e.On] == none {
				return i
			}
			conns[e.On] = none
		case trace.Leave:
			if left[e.On] {
				return i
			}
			left[e.On] = true
		}
	}
	return len(tr)
}
