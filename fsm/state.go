package fsm

import (
	"math/bits"
	"strconv"
	"strings"
)

// State is the number of a row: 1 to 63 in a table of one's own. Row 0 and the
// numbers above 252 have meanings of their own, below.
type State uint8

const (
	Any   State = 0   // as an index of a table: the row shared by all states
	Stay  State = 0   // as an answer: no transition
	First State = 1   // the first state of one's own, and the one machines are born into unless told otherwise
	Last  State = 63  // the last
	Pass  State = 253 // as an answer: not mine, give it to row Any's handler
	Later State = 254 // as an answer to a message: keep it until the state changes (it counts against the mailbox)
	Stop  State = 255 // as an answer or target: flush what was written, close, tell who monitors
)

// String is the name of a special state, or the number. A state of one's own has
// its name in its row, see [Table.NameOf].
func (s State) String() string {
	switch s {
	case Stay:
		return "stay"
	case Pass:
		return "pass"
	case Later:
		return "later"
	case Stop:
		return "stop"
	}
	return strconv.Itoa(int(s))
}

// own tells whether s can be a row of one's own.
func (s State) own() bool { return s >= First && s <= Last }

// States is a set of states, bit s for state s. Bit 0 stands for what was named
// and is no state: Check reports it.
type States uint64

const noState States = 1 << Any

// To is the set of these states. Stay and Stop need no naming. What can't be a
// target (Pass, Later, a number above Last) leaves a mark that Check reports.
func To(s ...State) (set States) {
	for _, x := range s {
		switch {
		case x.own():
			set |= 1 << x
		case x != Stay && x != Stop:
			set |= noState
		}
	}
	return set
}

// Has tells whether state x is in the set. It costs a shift.
func (s States) Has(x State) bool { return s>>x&1 != 0 }

// String lists the numbers: "{1 2 5}".
func (s States) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for sep := ""; s != 0; s &= s - 1 {
		b.WriteString(sep)
		b.WriteString(strconv.Itoa(bits.TrailingZeros64(uint64(s))))
		sep = " "
	}
	b.WriteByte('}')
	return b.String()
}

// each calls f for each state of one's own in the set, in order.
func (s States) each(f func(State)) {
	for s &^= noState; s != 0; s &= s - 1 {
		f(State(bits.TrailingZeros64(uint64(s))))
	}
}
