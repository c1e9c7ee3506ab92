package reactor

import (
	"fmt"
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/timerwheel"
)

// The deadlines of a machine:
//
//	deadline       starts in                  renewed in                         field
//	Within         enteredState (machine.go)  IO.Within (context.go)             header.withinAt
//	Idle           enteredState               noteRead, ReadFrom (input.go),     header.activeAt
//	                                          deliverOne (message.go)
//	Stall          append (output.go)         release (output.go)                chunk.movedAt
//	Within of Any  enterFirst (store.go)      never                              header.lifeAt
//
// A machine has one node in the timer wheel, with the number of its slot. The node expires
// at the earliest of the machine's deadlines, or before. Input changes activeAt only; the
// node stays, and expire computes the deadlines anew. Named timers (timers.go) have the nodes
// behind those of the slots.

// timerOf returns the node of the machine in a slot.
func timerOf(x uint32) timerwheel.Timer { return timerwheel.Timer(x) }

// after returns now + d, or forever if d is no bound or the sum overflows.
func after(now int64, d time.Duration) int64 {
	if d <= 0 || now > math.MaxInt64-int64(d) {
		return forever
	}
	return now + int64(d)
}

// arm makes sure that the machine's node expires at its earliest deadline, or before.
func (l *Loop) arm(x uint32, h *header) {
	h.flags &^= mRearm
	at, _, _ := l.stateDeadline(h)
	if h.flags&mDialing != 0 {
		next, _, _ := l.nextAttempt(x, h, at)
		at = min(at, next)
	}
	if at != forever {
		l.wheel.Extend(timerOf(x), at)
	}
}

// eventAttempt is the Event of a deadline that leads to no state: a port tries the next
// address of the name that it dials.
const eventAttempt Event = "attempt"

// deadline returns the earliest deadline of a machine, and the state that it leads to.
func (l *Loop) deadline(x uint32, h *header) (at int64, to State, why Event) {
	at, to, why = l.stateDeadline(h)
	if h.flags&mDialing != 0 {
		if t, _, _ := l.nextAttempt(x, h, at); t < at {
			return t, fsm.Stay, eventAttempt
		}
	}
	return at, to, why
}

// stateDeadline is deadline for those that lead to a state.
func (l *Loop) stateDeadline(h *header) (at int64, to State, why Event) {
	b := l.stores[h.kind]
	row := &b.rows[h.state]
	at, to, why = h.withinAt, row.within.To, EventWithin
	if row.idle.Runs() {
		if t := after(h.activeAt, row.idle.D); t < at {
			at, to, why = t, row.idle.To, EventIdle
		}
	}
	if row.stall.Runs() {
		for p := Port(0); uint32(p) < b.nports; p++ {
			if pt := b.port(h, p); pt.out != 0 {
				if t := after(l.pool.chunks[pt.out].movedAt, row.stall.D); t < at {
					at, to, why = t, row.stall.To, EventStall
				}
			}
		}
	}
	if h.lifeAt < at {
		at, to, why = h.lifeAt, b.rows[fsm.Any].within.To, EventLife
	}
	return at, to, why
}

// expire takes the deadlines and named timers that have passed.
func (l *Loop) expire() {
	if l.turn.now >= l.acceptor.resumeAt {
		l.acceptor.resume()
	}
	l.wheel.Advance(l.turn.now)
	for {
		t, ok := l.wheel.Expired()
		if !ok {
			return
		}
		if int(t) >= l.cfg.Slots {
			l.fire(uint32(int(t)-l.cfg.Slots) + 1)
			continue
		}
		x := uint32(t)
		h := l.slots.At(x)
		h.flags |= mRearm
		if h.flags&mDead != 0 {
			continue
		}
		if h.flags&mStopping != 0 && l.turn.now < h.withinAt {
			l.followAttempts(x, h, h.withinAt)
			l.drainPorts(x, h)
			continue
		}
		if h.flags&mStopping != 0 {
			l.stats.lingered++
			l.end(x, h)
			continue
		}
		l.followDeadline(x, h)
	}
}

// followDeadline takes a machine to the state that its earliest deadline leads to, if that
// has passed.
func (l *Loop) followDeadline(x uint32, h *header) {
	at, to, why := l.deadline(x, h)
	switch {
	case at > l.turn.now:
		l.arm(x, h)
		return
	case why == eventAttempt:
		end, _, _ := l.stateDeadline(h)
		l.followAttempts(x, h, end)
		l.arm(x, h)
		return
	case why == EventIdle && h.flags&mQueued != 0 && l.turn.phase < running:
		l.turn.silent = append(l.turn.silent, x) // it runs first, as there may be bytes that came in time
		return
	case why == EventLife:
		h.lifeAt = forever // it is taken once: the states that follow have bounds of their own
	}
	l.stats.deadlines++
	l.trace(x, h, why)
	b := l.stores[h.kind]
	b.follow(x, h, to, b.rows[h.state].timeouts[why])
}

// closeStalled closes the ports of a stopping machine whose output has not moved for the
// Stall of its state: a peer that took nothing in that time is not given Linger as well.
func (l *Loop) closeStalled(x uint32, h *header) {
	b := l.stores[h.kind]
	stall := b.rows[h.state].stall
	if !stall.Runs() {
		return
	}
	for p := Port(0); uint32(p) < b.nports; p++ {
		if pt := b.port(h, p); pt.out != 0 && after(l.pool.chunks[pt.out].movedAt, stall.D) <= l.drv.Now() {
			l.closePort(x, h, p, pt)
		}
	}
}

// followSilent takes the Idle deadline of machines whose run moved nothing.
func (l *Loop) followSilent() {
	for n := len(l.turn.silent); n > 0; n = len(l.turn.silent) {
		x := l.turn.silent[n-1]
		l.turn.silent = l.turn.silent[:n-1]
		if h := l.slots.At(x); h.flags&(mDead|mStopping) == 0 {
			l.followDeadline(x, h)
		}
	}
}

// timeoutErrors returns the reasons that the deadlines of a state give.
func timeoutErrors(state string) map[Event]error {
	all := make(map[Event]error)
	for _, c := range []Event{EventWithin, EventIdle, EventStall, EventLife} {
		all[c] = fmt.Errorf("state %q, %s: %w", state, c, ErrTimeout)
	}
	return all
}
