package mailbox

import "sync/atomic"

// cacheLinePad keeps two words apart that different processors write. It is two
// lines of 64 bytes: amd64 prefetches lines in pairs, and some arm64 processors
// have lines of 128.
type cacheLinePad [128]byte

// Sleeper is the receiving side of the sleep protocol: a flag that says that the
// consumer is about to block, and how to wake it. One consumer has one Sleeper,
// however many rings it receives from. The zero value is awake and can't sleep,
// as nobody could wake it: make one with [NewSleeper].
type Sleeper struct {
	wake func()
	_    cacheLinePad
	// asleep is 1 from Asleep until a sender or Awake takes it down. Senders read
	// it with every message, so nothing that changes often shares its line.
	asleep atomic.Uint32
	_      cacheLinePad
}

// NewSleeper returns a Sleeper that is awake. A sender calls wake, on its own
// goroutine, after it took the flag down: at most once for each Asleep.
//
// A wake is sticky: one that comes before the consumer blocks must end that block
// (a send to a channel of capacity 1 that gives up when it is full, a write to an
// eventfd). It can come late, when the consumer was woken by something else and
// sleeps again; the consumer then finds nothing, which is harmless. It must not
// block, and it may be called by two senders at a time, for two sleeps.
func NewSleeper(wake func()) *Sleeper {
	return &Sleeper{wake: wake}
}

// Asleep says that the consumer is about to block. The consumer must then look at
// each of its rings once more, and block only when all are Empty.
func (s *Sleeper) Asleep() {
	if s.wake == nil {
		panic("mailbox: Asleep on a Sleeper that NewSleeper did not make, or with a nil wake")
	}
	s.asleep.Store(1)
}

// Awake takes the flag down: the consumer did not block, or blocks no longer. It
// reports whether a sender was first, whose wake has come or is still to come.
func (s *Sleeper) Awake() (woken bool) {
	return s.asleep.Swap(0) == 0
}

// Wake wakes the consumer if it sleeps. Send does that by itself; this is for
// whatever else the consumer looks at between Asleep and its block: publish
// first, then Wake. Any goroutine may call it.
func (s *Sleeper) Wake() {
	if s.asleep.Load() != 0 {
		s.rouse()
	}
}

// rouse is kept out of Wake so that Wake is small enough to be inlined in Send.
//
//go:noinline
func (s *Sleeper) rouse() {
	if s.asleep.Swap(0) != 0 {
		s.wake()
	}
}
