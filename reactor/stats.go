package reactor

import (
	"errors"
	"fmt"
	"time"
)

// counters are the loop's alone; Stats asks the loop.
type counters struct {
	turns, parks, events, messages, timers, signals, downs uint64
	accepted, acceptErrors, slotPauses, fdPauses           uint64
	in, out, writeBufferFull                               uint64
	stale, dead, deadlines, lingered                       uint64
	failed, panics                                         uint64
	longest                                                int64
}

// Stats is what a loop counted since it began.
type Stats struct {
	Machines        int           // alive now
	Turns           uint64        // rounds of the loop
	Longest         time.Duration // the longest round: as long as a slow handler, or a busy processor, kept all others waiting
	Parks           uint64        // rounds begun with nothing to do, in which it may have slept
	Events          uint64        // readiness events taken
	Messages        uint64        // messages handled
	Dead            uint64        // messages accepted for machines that ended, or that no state takes
	Timers          uint64        // named timers fired
	Deadlines       uint64        // Within, Idle, Stall and life deadlines that led somewhere
	Signals         uint64        // sets of signals told
	Downs           uint64        // ends of monitored machines told
	Accepted        uint64        // connections
	AcceptErrors    uint64        // connections that did not live to be accepted
	SlotPauses      uint64        // accepting rested for want of a slot
	FilePauses      uint64        // accepting rested for want of a descriptor
	BytesIn         uint64
	BytesOut        uint64
	Held            int    // bytes of chunks that ports hold now
	Stale           uint64 // events for ports and machines that were closed
	WriteBufferFull uint64 // writes refused because the write buffer, or the pool, was full
	Failed          uint64 // machines that ended with a reason other than ErrShutdown
	Lingered        uint64 // machines whose output was cut off by Linger
	Panics          uint64 // machines that their own panic ended
}

// Stats returns the loop's counters, from any goroutine but a handler's, which has
// IO.Stats: there it is ErrInHandler. Of a loop that has ended they are the last ones.
func (l *Loop) Stats() (s Stats, err error) {
	err = l.onLoop(func(l *Loop) error {
		s = l.counted()
		return nil
	})
	if errors.Is(err, ErrClosed) {
		l.control.mu.Lock()
		defer l.control.mu.Unlock()
		return l.control.last, nil
	}
	return s, err
}

// Stats returns the counters of the machine's own loop.
func (c *IO) Stats() Stats {
	if !c.inCall() {
		return Stats{}
	}
	return c.loop.counted()
}

func (l *Loop) counted() Stats {
	c := &l.stats
	return Stats{
		Machines: l.slots.Len(), Turns: c.turns, Longest: time.Duration(c.longest), Parks: c.parks, Events: c.events,
		Messages: c.messages, Dead: c.dead, Timers: c.timers, Deadlines: c.deadlines,
		Signals: c.signals, Downs: c.downs, Accepted: c.accepted, AcceptErrors: c.acceptErrors,
		SlotPauses: c.slotPauses, FilePauses: c.fdPauses, BytesIn: c.in, BytesOut: c.out,
		Held: l.pool.lent, Stale: c.stale, WriteBufferFull: c.writeBufferFull,
		Failed: c.failed, Lingered: c.lingered, Panics: c.panics,
	}
}

// String is one line for a log.
func (s Stats) String() string {
	return fmt.Sprintf("machines %d, accepted %d, events %d, messages %d, in %d B, out %d B, held %d B, deadlines %d, failed %d, panics %d",
		s.Machines, s.Accepted, s.Events, s.Messages, s.BytesIn, s.BytesOut, s.Held, s.Deadlines, s.Failed, s.Panics)
}
