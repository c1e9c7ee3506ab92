package fsm

import (
	"math/bits"
	"strconv"
	"strings"
)

// State is the index of a row in a Table: 1 to 63 for the states of a machine. The
// other constants below are special.
type State uint8

const (
	Any   State = 0   // index of the row that is shared by all states
	Stay  State = 0   // returned by a handler: no transition
	First State = 1   // the lowest state of a machine, and by default its first one
	Last  State = 63  // the highest state of a machine
	Pass  State = 253 // returned by a handler: let row Any's handler handle the event
	Defer State = 254 // returned by OnMessage: deliver the message again after the next transition; it keeps its space in the mailbox
	Stop  State = 255 // returned by a handler, or a target: flush the output, close the ports, end the machine
)

// String returns the name of a special state, or the number. [Table.NameOf] returns
// the name of a state of a machine.
func (s State) String() string {
	switch s {
	case Stay:
		return "stay"
	case Pass:
		return "pass"
	case Defer:
		return "defer"
	case Stop:
		return "stop"
	}
	return strconv.Itoa(int(s))
}

// inRange reports whether s can be the state of a machine.
func (s State) inRange() bool { return s >= First && s <= Last }

// States is a set of states: state s is bit s. Create it with [To]. Bit 0 stands for
// arguments of To that are not states, which Check reports.
type States uint64

const noState States = 1 << Any

// To returns the set of the given states. Stay and Stop are ignored, as they need not
// be declared. If another argument is not a state, such as Pass or a number above
// Last, Check reports it.
func To(s ...State) (set States) {
	for _, x := range s {
		switch {
		case x.inRange():
			set |= 1 << x
		case x != Stay && x != Stop:
			set |= noState
		}
	}
	return set
}

// Has reports whether x is in the set.
func (s States) Has(x State) bool { return s>>x&1 != 0 }

// String returns the numbers of the states, such as "{1 2 5}".
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

// each calls f for each state in the set, in order.
func (s States) each(f func(State)) {
	for s &^= noState; s != 0; s &= s - 1 {
		f(State(bits.TrailingZeros64(uint64(s))))
	}
}
