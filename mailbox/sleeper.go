package mailbox

import "sync/atomic"

// cacheLinePad separates two words that different processors write. It has 128
// bytes: amd64 prefetches pairs of 64-byte lines, and some arm64 processors have
// lines of 128 bytes.
type cacheLinePad [128]byte

// Sleeper lets senders wake a consumer that blocks. A consumer has one Sleeper,
// however many rings it receives from. Create it with [NewSleeper]: the zero
// value has no wake function, so its Asleep panics.
type Sleeper struct {
	wake func()
	_    cacheLinePad
	// asleep is 1 from Asleep until a sender or Awake sets it to 0. Senders read it
	// for every message, so it has a cache line of its own.
	asleep atomic.Uint32
	_      cacheLinePad
}

// NewSleeper returns a Sleeper of a consumer that is awake. Senders call wake, on
// their own goroutines and at most once for each Asleep, to unblock the consumer.
//
//   - A wake before the consumer blocks must end that block. A non-blocking send to a
//     channel of capacity 1 does so, or a write to an eventfd.
//   - A wake may come late, when the consumer was woken by something else and sleeps
//     again. The consumer then finds nothing to do, which is harmless.
//   - wake must not block.
//   - Two senders may call wake at the same time, for two different sleeps.
func NewSleeper(wake func()) *Sleeper {
	return &Sleeper{wake: wake}
}

// Asleep announces that the consumer is about to block. The consumer must then check
// each of its rings again and block only if all are Empty. Only the consumer may
// call it.
func (s *Sleeper) Asleep() {
	if s.wake == nil {
		panic("mailbox: Asleep on a Sleeper that NewSleeper did not make, or with a nil wake")
	}
	s.asleep.Store(1)
}

// Awake announces that the consumer does not block, or no longer does. It reports
// whether a sender has called wake since Asleep, or is about to. Only the consumer
// may call it.
func (s *Sleeper) Awake() (woken bool) {
	return s.asleep.Swap(0) == 0
}

// Wake wakes the consumer if it sleeps. Send and Close call it. Use it for anything
// else that the consumer checks between Asleep and its block: publish the change
// first, then call Wake. Any goroutine may call it.
func (s *Sleeper) Wake() {
	if s.asleep.Load() != 0 {
		s.wakeSlow()
	}
}

// wakeSlow is separate so that Wake is small enough to be inlined into Send.
//
//go:noinline
func (s *Sleeper) wakeSlow() {
	if s.asleep.Swap(0) != 0 {
		s.wake()
	}
}
