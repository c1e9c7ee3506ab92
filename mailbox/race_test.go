package mailbox_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stator-go/stator/mailbox"
)

// TestStressClose closes many rings while senders use them: exactly the messages for
// which Send returned nil are received.
func TestStressClose(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for round := range stressMessages() / 500 {
		r := newRing[int](t, 1<<10, nil)
		var accepted, started atomic.Int64
		var senders sync.WaitGroup
		for range 2 {
			senders.Go(func() {
				started.Add(1)
				for r.Send(1) == nil {
					accepted.Add(1)
				}
			})
		}
		for started.Load() == 0 {
			runtime.Gosched()
		}
		r.Close()
		received := int64(0)
		for v := 0; !r.Done(); {
			if r.Recv(&v) {
				received++
			} else {
				runtime.Gosched() // a sender has claimed its cell and not filled it yet
			}
		}
		senders.Wait()
		if received != accepted.Load() {
			t.Fatalf("round %d: %d accepted, %d received", round, accepted.Load(), received)
		}
		if err := r.Send(1); !errors.Is(err, mailbox.ErrClosed) {
			t.Fatalf("round %d: Send after Close: %v", round, err)
		}
	}
}

// TestStressNotFull has as many senders as the capacity. Each has at most one message
// that is not released, so Send must never return ErrFull.
func TestStressNotFull(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const capacity = 3
	r := newRing[*atomic.Bool](t, capacity, nil)
	each := stressMessages() / 2 / capacity
	var senders sync.WaitGroup
	for range capacity {
		senders.Go(func() {
			var handled atomic.Bool
			for n := range each {
				handled.Store(false)
				if err := r.Send(&handled); err != nil {
					t.Errorf("message %d: Send: %v with fewer than %d messages in the ring", n, err, capacity)
					break
				}
				for !handled.Load() {
					runtime.Gosched()
				}
			}
		})
	}
	go func() {
		senders.Wait()
		r.Close()
	}()
	var handled *atomic.Bool
	for !r.Done() {
		if r.Recv(&handled) {
			r.Release(1)
			handled.Store(true)
		} else {
			runtime.Gosched()
		}
	}
}

// TestStressOneWake has two senders find the consumer asleep at the same time:
// exactly one of them calls wake.
func TestStressOneWake(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const senders = 2
	var wakes, round, sent atomic.Int64
	s := mailbox.NewSleeper(func() { wakes.Add(1) })
	r := newRing[int](t, senders, s)
	rounds := int64(stressMessages() / 10)
	for range senders {
		go func() {
			for n := int64(1); n <= rounds; n++ {
				for round.Load() < n {
					runtime.Gosched()
				}
				_ = r.Send(1)
				sent.Add(1)
			}
		}()
	}
	failed := false
	for n := int64(1); n <= rounds; n++ {
		s.Asleep()
		round.Store(n)
		for sent.Load() < n*senders {
			runtime.Gosched()
		}
		if w := wakes.Swap(0); w != 1 && !failed {
			failed = true
			t.Errorf("sleep %d: %d wakes, want 1", n, w)
		}
		for v := 0; r.Recv(&v); {
		}
		r.Release(senders)
	}
}
