package reactor

import (
	"fmt"

	"github.com/stator-go/stator/reactor/poll"
)

// turn is how far the current turn of a loop has come. The cursors are here, and not in
// local variables, because a handler's panic unwinds the stack: the turn then goes on
// behind the machine that panicked.
type turn struct {
	now      int64 // the clock when the turn began
	phase    phase
	finished bool // the phases ran to their end, without a panic

	events []poll.Event // collected by wait
	found  int          // how many there are
	next   int          // the next one to dispatch
	kind   int          // the next store to receive messages
	silent []uint32     // machines whose Idle is over, if their run moves nothing
	ended  []uint32     // machines whose slots are to be freed at the turn's end

	share    uint64 // bytes that a machine may read and write in a run
	unsent   int    // machines with output that no send was tried for
	discards int    // bytes of input that stopping machines may still drop in this turn
}

// runTurn is one turn of the loop: wait, then the phases in their order. It reports
// whether the loop has ended.
func (l *Loop) runTurn() bool {
	if l.turn.phase == waiting {
		l.wait()
		l.turn.phase++
	}
	for !l.phases() {
	}
	l.turn.phase = waiting
	if l.buffers.servable() {
		l.buffers.wake()
	}
	if l.pool.cached > keptBytes || l.pool.trimAt != forever {
		l.pool.trim(l.turn.now)
	}
	l.reap()
	if l.control.shuttingDown && l.slots.Len() == 0 || l.control.ending {
		l.finish()
		return true
	}
	return false
}

// Machines that move bulk data share a turn, so that the others wait less: each may read and
// write an equal part of turnBytes before the next one runs, but at least minShare, which is
// one large read and its echo.
const (
	turnBytes = 2 << 20
	minShare  = 128 << 10
)

// phase is a part of a turn.
type phase uint8

// The phases of a turn, in their order.
const (
	waiting     phase = iota
	readiness         // events of the driver; connections to accept
	deadlines         // deadlines and named timers that have passed
	controlling       // what other goroutines asked for; ends of monitored machines
	messages
	signalling
	running // machines in the run queue
	over
)

// phases runs the phases that are left of the turn. It returns false after a handler
// panicked, and is then called again to go on behind that machine.
func (l *Loop) phases() bool {
	defer l.recovered()
	l.turn.finished = false
	if l.call.crashed != 0 {
		l.endCrashed()
	}
	for at := l.turn.phase; at < over; at++ {
		l.turn.phase = at
		switch at {
		case readiness:
			for l.turn.next < l.turn.found {
				l.turn.next++
				l.dispatch(l.turn.events[l.turn.next-1])
			}
			if l.acceptor.ready > 0 {
				l.acceptor.acceptAll()
			}
		case deadlines:
			l.expire()
		case controlling:
			if l.control.pending.Load() {
				l.handleControl()
			}
			if l.monitors.due != 0 {
				l.deliverDowns()
			}
		case messages:
			l.receive()
		case signalling:
			if l.signals.pending() {
				l.signals.deliver()
			}
			l.queue.left = l.queue.len
			if l.turn.share = turnBytes; l.queue.len > 1 {
				l.turn.share = max(minShare, turnBytes/uint64(l.queue.len))
			}
		case running:
			for l.queue.left > 0 && l.queue.first != 0 {
				l.queue.left--
				x, h := l.queue.pop()
				l.stores[h.kind].run(x, h)
			}
			l.followSilent()
		}
	}
	l.turn.finished = true
	return true
}

// wait collects events: at once if there is work, else until the next deadline.
func (l *Loop) wait() {
	l.turn.next, l.turn.discards = 0, discardPerTurn
	until := l.until()
	if until != 0 {
		l.noteTurn(l.drv.Now())
		// Say that the loop sleeps, then look again: a sender that comes later wakes it.
		if l.sleeper.Asleep(); !l.idle() {
			until = 0
		}
		l.turn.found = l.collect(until)
		l.sleeper.Awake()
		l.stats.parks++
		l.turn.now = l.drv.Now()
	} else {
		l.turn.found = l.collect(0)
		now := l.drv.Now()
		l.noteTurn(now)
		l.turn.now = now
	}
	l.stats.turns++
}

// noteTurn records how long the turn that ends now took.
func (l *Loop) noteTurn(now int64) {
	if l.stats.turns > 0 && !l.control.stepped { // a stepped loop may rest between its turns
		l.stats.longest = max(l.stats.longest, now-l.turn.now)
	}
}

func (l *Loop) collect(until int64) int {
	n, err := l.drv.Wait(l.turn.events, until)
	if err != nil {
		panic(fmt.Errorf("reactor: wait: %w", err)) // the driver is broken: nothing can go on
	}
	return n
}

// until returns when the loop has to run its next turn; 0 is at once.
func (l *Loop) until() int64 {
	if l.queue.len > 0 || l.acceptor.ready > 0 || len(l.turn.ended) > 0 || l.monitors.due != 0 || l.buffers.servable() || !l.idle() {
		return 0
	}
	at := min(l.acceptor.resumeAt, l.pool.trimAt)
	if next, ok := l.wheel.Next(); ok {
		at = min(at, next)
	}
	if at <= l.turn.now {
		return 0
	}
	return at
}

// idle reports whether no other goroutine has left something to do.
func (l *Loop) idle() bool {
	if l.control.pending.Load() || l.senders.notified.Load() != nil || l.signals.arrived.Load() != 0 {
		return false
	}
	for _, b := range l.stores {
		if !b.inboxEmpty() {
			return false
		}
	}
	return true
}
