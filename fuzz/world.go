package fuzz

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/sig"
)

// World is where one run happens: production loops over simulated drivers, a peer for
// each connection, and a clock that moves only when the trace says so. [Spec.Setup] wires
// its machines. Everything in it happens on one goroutine.
type World struct{ w *sim.World }

// Loop returns the i-th loop, for Setup to wire kinds to as in production. It panics if there
// is none; Spec.Loops sets how many there are.
func (w *World) Loop(i int) *reactor.Loop {
	w.checkLoop("Loop", i)
	return w.w.Loop(i)
}

// checkLoop panics if there is no i-th loop for a method.
func (w *World) checkLoop(method string, i int) {
	if n := w.Loops(); i < 0 || i >= n {
		have := fmt.Sprintf("%d loops, 0 to %d", n, n-1)
		if n == 1 {
			have = "one loop, 0"
		}
		panic(fmt.Sprintf("fuzz: World.%s: no loop %d: the world has %s; Spec.Loops sets how many", method, i, have))
	}
}

// Loops returns the number of loops.
func (w *World) Loops() int { return w.w.Loops() }

// Now returns the time on the world's clock, which Context.Now reads. A machine that
// needs the date has a function for it in its prototype; in a World that function returns
// time.Unix(0, 0).Add(w.Now()).
func (w *World) Now() time.Duration { return time.Duration(w.w.Now()) }

// Action declares, in Setup, something that happens to machines from outside, such as a
// message that another goroutine sends. Runs call do with arguments from 0 to 65,535, at
// any time between two turns of the loops.
func (w *World) Action(name string, do func(arg int)) { w.w.Action(name, do) }

// Go has work run that is done outside of loops, such as a query of a database. In production
// a machine's prototype has a function that starts a goroutine; in a World that function is Go:
//
//	spawn func(func()) // func(work func()) { go work() }, or World.Go
//
// Runs call work between two turns of the loops: soon, or some turns or milliseconds later, so
// that it overtakes other work or is overtaken. It has run before faults have ceased. It may
// call what any goroutine may call, such as Ref.Send. It gets a copy of what it needs: a
// pointer to the machine would be a data race in production. Call Go in handlers, actions, work
// and Setup.
func (w *World) Go(work func()) { w.w.Go(work) }

// Probe returns the probe for the prototypes of this World's machines; see package probe.
func (w *World) Probe() probe.Probe { return w.w.Probe() }

// Signal sends Unix signals to a loop. Those that no machine of the loop asked for are
// ignored. Call it from actions.
func (w *World) Signal(loop int, set sig.Set) {
	w.checkLoop("Signal", loop)
	w.w.Signal(loop, set)
}

// ReadPipe returns the read end of a new pipe, for a machine to adopt. A peer writes to
// the other end; it uses one of the connections that machines begin.
func (w *World) ReadPipe() (reactor.Descriptor, error) { return w.w.ReadPipe() }

// WritePipe returns the write end of a new pipe, for a machine to adopt. A peer reads from
// the other end; it uses one of the connections that machines begin.
func (w *World) WritePipe() (reactor.Descriptor, error) { return w.w.WritePipe() }

// BareLoop is a loop that is written by hand over a driver. It takes turns as a
// reactor.Stepper does.
type BareLoop interface {
	Turn() (over bool)    // takes one turn; over: its sockets are closed, and it has called the driver's End
	Until() int64         // returns when it wants its next turn if no event comes, in nanoseconds on the driver's clock: 0 at once, math.MaxInt64 never
	Leave()               // asks it to shut down
	Stop()                // makes the next turns end it
	Stats() reactor.Stats // Machines counts its connections, Stale the events that it dropped
}

// Bare replaces the i-th loop by one that is written by hand. Call it in Setup. The new
// loop gets the same sockets, peers, clock and faults, and the same checks, except those
// that look at a table. Use it to fuzz code that does not use package reactor's machines.
func (w *World) Bare(i int, loop func(driver.Driver) BareLoop) {
	w.checkLoop("Bare", i)
	w.w.Bare(i, func(d driver.Driver) sim.BareLoop { return loop(d) })
}
