package reactor

import (
	"errors"
	"fmt"
	"time"
)

// counters are the numbers behind Stats. They are the loop's own.
type counters struct {
	turns, parks, events, messages, timers, signals, downs uint64
	accepted, acceptErrors                                 uint64
	slotPauses, fdPauses, errorPauses                      uint64
	in, out, consumed, writeBufferFull                     uint64
	stale, dead, deadlines, lingered                       uint64
	failed, panics, lookupWaits                            uint64
	longest                                                int64
}

// moved returns how many bytes have been read and written.
func (c *counters) moved() uint64 { return c.in + c.out }

// Stats has what a loop has counted since it was made.
type Stats struct {
	Machines        int           // alive now
	Turns           uint64        // turns of the loop
	Longest         time.Duration // the longest turn, in which a slow handler or a busy processor delayed all machines
	Parks           uint64        // turns that began with nothing to do, so that the loop slept
	Events          uint64        // readiness events of ports
	Messages        uint64        // messages handled
	Dead            uint64        // messages that were accepted and not handled, as their machine ended or its state takes none
	Timers          uint64        // named timers fired
	TimersArmed     int           // named timers that run now
	Deadlines       uint64        // Within, Idle and Stall deadlines that passed, row Any's Within included
	Signals         uint64        // calls of OnSignal
	Downs           uint64        // calls of OnDown
	Accepted        uint64        // connections accepted
	AcceptErrors    uint64        // connections that failed while they were accepted
	SlotPauses      uint64        // times that a listener found no slot free, or Options.MaxMachines reached, and paused; each retry that finds the same counts again
	FilePauses      uint64        // times that a listener found descriptors or memory used up, and paused; retries count likewise
	ErrorPauses     uint64        // times that a listener paused as more than 8 accepts in a row had failed
	LookupsWaiting  int           // dials that wait now, as Config.Lookups names are being looked up
	LookupWaits     uint64        // dials that had to wait for that
	BytesIn         uint64
	BytesOut        uint64
	Consumed        uint64 // bytes of buffered input that handlers consumed
	Held            int    // bytes of Config.Buffers that ports hold now
	Waiting         int    // machines that wait for Config.Buffers now
	Stale           uint64 // events for ports and machines that had ended
	WriteBufferFull uint64 // writes refused for Options.WriteBuffer or Config.Buffers
	Failed          uint64 // machines that ended with a reason other than ErrShutdown
	Lingered        uint64 // machines whose output was cut off after Options.Linger
	Panics          uint64 // machines that ended by a panic
}

// Stats returns the loop's counters, or the last ones if the loop has ended. If the loop
// runs, it waits for the loop's next turn. In a handler it returns ErrInHandler: use IO.Stats
// there.
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

// Stats returns the counters of the machine's loop.
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
		Messages: c.messages, Dead: c.dead, Timers: c.timers, TimersArmed: int(l.timers.running), Deadlines: c.deadlines,
		Signals: c.signals, Downs: c.downs, Accepted: c.accepted, AcceptErrors: c.acceptErrors,
		SlotPauses: c.slotPauses, FilePauses: c.fdPauses, ErrorPauses: c.errorPauses,
		LookupsWaiting: l.dials.lookups.waiting, LookupWaits: c.lookupWaits, BytesIn: c.in, BytesOut: c.out, Consumed: c.consumed,
		Held: l.pool.lent, Waiting: l.buffers.len(), Stale: c.stale, WriteBufferFull: c.writeBufferFull,
		Failed: c.failed, Lingered: c.lingered, Panics: c.panics,
	}
}

// String returns one line for a log.
func (s Stats) String() string {
	return fmt.Sprintf("machines %d, accepted %d, events %d, messages %d, in %d B, out %d B, held %d B, deadlines %d, failed %d, panics %d",
		s.Machines, s.Accepted, s.Events, s.Messages, s.BytesIn, s.BytesOut, s.Held, s.Deadlines, s.Failed, s.Panics)
}
