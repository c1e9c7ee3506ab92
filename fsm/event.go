package fsm

import "github.com/stator-go/stator/slab"

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
