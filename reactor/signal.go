package reactor

import (
	"github.com/stator-go/stator/sig"
	"slices"
	"sync/atomic"
)

// signals are the signals that a loop's machines asked for.
type signals struct {
	loop        *Loop
	subscribers []subscriber
	arrived     atomic.Uint64 // Signals that have come and are not being delivered yet

	delivering sig.Set // those of this turn
	next       int     // the next subscriber to get them
}

// subscriber is a machine that asked for signals.
type subscriber struct {
	machine Token
	set     sig.Set
}

// Notify asks for signals. They come to the row's OnSignal, all that came since the last
// turn as one set. Until the loop ends, the process does not die of them. The error names
// signals that cannot be caught.
func (c *IO) Notify(set sig.Set) error {
	if !c.inCall() {
		return ErrOutside
	}
	s := &c.loop.signals
	if err := c.loop.drv.Notify(set, s.arrive); err != nil {
		return err
	}
	s.subscribe(c.Token(), set)
	return nil
}

func (s *signals) subscribe(t Token, set sig.Set) {
	for i := range s.subscribers {
		if s.subscribers[i].machine == t {
			s.subscribers[i].set |= set
			return
		}
	}
	if len(s.subscribers) == cap(s.subscribers) && s.delivering == 0 { // grow only for machines that live
		s.subscribers = slices.DeleteFunc(s.subscribers, func(b subscriber) bool { return s.loop.live(b.machine) == nil })
	}
	s.subscribers = append(s.subscribers, subscriber{t, set})
}

// arrive takes signals from the driver, on any goroutine.
func (s *signals) arrive(set sig.Set) {
	if s.arrived.Or(uint64(set)) == 0 {
		s.loop.sleeper.Wake()
	}
}

// pending reports whether there is something to deliver.
func (s *signals) pending() bool { return s.delivering != 0 || s.arrived.Load() != 0 }

// deliver gives the signals that arrived to the machines that asked for them.
func (s *signals) deliver() {
	l := s.loop
	if s.delivering == 0 {
		s.delivering = sig.Set(s.arrived.Swap(0))
	}
	for s.next < len(s.subscribers) {
		b := s.subscribers[s.next]
		s.next++
		if h := l.live(b.machine); h != nil && b.set&s.delivering != 0 && h.flags&(mStopping|mNewborn) == 0 {
			l.stats.signals++
			l.stores[h.kind].signalled(b.machine.Index(), h, b.set&s.delivering)
		}
	}
	s.next, s.delivering = 0, 0
}
