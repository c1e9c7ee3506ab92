package fsm

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/stator-go/stator/slab"
)

// Timer is the number of a named timer, which a handler arms: its index in the list of
// TimerSpecs of the machine.
type Timer uint8

// TimerSpec declares a named timer. A transition to a state outside In stops it. If In
// is empty, any transition out of the state that armed it does.
type TimerSpec struct {
	Name string
	In   States
	Many int // how many may be armed at the same time, with different ids; 0 means 1
}

// Fired is the event that a named timer has expired.
type Fired struct {
	Timer Timer
	ID    uint32 // the id given to ArmID; 0 for Arm
}

// Down is the event that a monitored machine has ended.
type Down struct {
	Who    slab.Token // the machine that ended
	Reason error      // why it ended; nil if it ended normally
}

// Signals is a set of signals: bit n is signal number n. A set is written
// Signals(1<<syscall.SIGHUP | 1<<syscall.SIGTERM).
type Signals uint64

// Has tells whether signal number n is in the set.
func (s Signals) Has(n int) bool { return n >= 0 && s>>uint(n)&1 != 0 }

// String lists the numbers: "{1 15}".
func (s Signals) String() string {
	var all []string
	for ; s != 0; s &= s - 1 {
		all = append(all, strconv.Itoa(bits.TrailingZeros64(uint64(s))))
	}
	return "{" + strings.Join(all, " ") + "}"
}
