package fuzz

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stator-go/stator/fuzz/trace"
)

// Strategy is how a search chooses its next trace.
type Strategy int

const (
	// Guided draws half of the traces anew, as Swarm or as Random does by chance, and changes
	// the others from those that showed something new. It is what finds most where getting
	// anywhere takes many steps.
	Guided Strategy = iota
	// Swarm draws each trace from a mixture of its own: some faults are off entirely,
	// others frequent. It forgets what it saw; so two searches with different seeds never
	// do the same work, and many may share a budget.
	Swarm
	// Random draws each event from one mixture of all there is. It is what others are
	// measured by.
	Random

	exhaustive Strategy = 1 << 8
)

// mostDepth is as far as counting goes: few kinds can be counted through so far.
const mostDepth = 20

// Exhaustive is every trace of depth events at most, the short ones first, of an
// alphabet without faults: two connections that dial, send a word of Dict, end and
// reset; the actions, with arguments 0 and 1; a millisecond, a second, a minute; a
// shutdown. What cannot matter is left out: events of connections that are not open,
// and traces that differ from others in the numbers of their connections. A search
// of it ends when all are done, see Finding.Done.
func Exhaustive(depth int) Strategy { return exhaustive + Strategy(max(1, min(depth, mostDepth))) }

// String is the strategy as FUZZ_STRATEGY takes it.
func (s Strategy) String() string {
	switch s {
	case Guided:
		return "guided"
	case Swarm:
		return "swarm"
	case Random:
		return "random"
	}
	return fmt.Sprintf("exhaustive:%d", int(s-exhaustive))
}

func parseStrategy(text string) (Strategy, error) {
	for s := Guided; s <= Random; s++ {
		if text == s.String() {
			return s, nil
		}
	}
	depth, found := strings.CutPrefix(text, "exhaustive:")
	if n, err := strconv.Atoi(depth); found && err == nil && n >= 1 && n <= mostDepth {
		return Exhaustive(n), nil
	}
	return 0, fmt.Errorf("strategy %q: want guided, swarm, random, or exhaustive:1 to exhaustive:%d", text, mostDepth)
}

// counter goes through all traces of an alphabet.
type counter struct {
	letters trace.Trace
	digits  []int // of the trace at hand
	depth   int
}

func newCounter(w *World, depth int) *counter {
	c := &counter{depth: depth}
	for on := range uint16(min(2, w.spec.Conns)) {
		for listener := range w.listeners {
			c.letters = append(c.letters, trace.Event{Op: trace.Dial, On: on, A: uint16(listener)})
		}
		for word := range max(1, len(w.spec.Dict)) {
			c.letters = append(c.letters, trace.Event{Op: trace.Send, On: on, A: uint16(word)})
		}
		for _, op := range []trace.Op{trace.Finish, trace.Close, trace.Reset} {
			c.letters = append(c.letters, trace.Event{Op: op, On: on})
		}
	}
	for action := range w.actions {
		for arg := range uint16(2) {
			c.letters = append(c.letters, trace.Event{Op: trace.Act, On: uint16(action), A: arg})
		}
	}
	for _, unit := range []uint16{1, 3, 4} {
		c.letters = append(c.letters, trace.Event{Op: trace.Advance, A: 1, B: unit})
	}
	for loop := range w.drivers {
		c.letters = append(c.letters, trace.Event{Op: trace.Leave, On: uint16(loop)})
	}
	return c
}

// next is the trace behind the one at hand; false when all were.
func (c *counter) next() (trace.Trace, bool) {
	for at := len(c.digits) - 1; ; {
		if !c.step(at) {
			return nil, false
		}
		tr := make(trace.Trace, len(c.digits))
		for i, d := range c.digits {
			tr[i] = c.letters[d]
		}
		if at = idle(tr); at == len(tr) {
			return tr, true
		}
	}
}

// step counts at a digit, and starts those behind it anew.
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

// idle is the number of the first event that does nothing, or what another trace does
// as well; the trace's length when there is none.
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
