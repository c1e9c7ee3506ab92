package fsm

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/stator-go/stator/slab"
)

// Timer names a timer that a handler arms; TimerSpec, at its index of a kind's
// timers, says where it lives.
type Timer uint8

// TimerSpec is a named timer. Leaving In stops it; without In it stops with the
// state that armed it.
type TimerSpec struct {
	Name string
	In   States
	Many int // how many may run at once, told apart by ids; 0 is one
}

// Fired is a timer's event.
type Fired struct {
	Timer Timer
	ID    uint32 // of ArmID; 0 for Arm
}

// Down tells that what was monitored has ended.
type Down struct {
	Who    slab.Token // the machine that ended
	Reason error      // why: nil for an end that is none's fault
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
