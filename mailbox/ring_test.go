package mailbox_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stator-go/stator/mailbox"
)

func newRing[T any](tb testing.TB, capacity int, s *mailbox.Sleeper) *mailbox.Ring[T] {
	tb.Helper()
	r, err := mailbox.New[T](capacity, s)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestCapacityOutOfRange(t *testing.T) {
	for _, capacity := range []int{-1, 0, mailbox.MaxCapacity + 1} {
		if r, err := mailbox.New[int](capacity, nil); err == nil || r != nil {
			t.Errorf("New with capacity %d = %v, %v; want an error", capacity, r, err)
		}
	}
}

// TestFullExactly fills rings from several goroutines, with capacities around powers
// of two: exactly capacity messages are accepted, and every other Send is ErrFull.
func TestFullExactly(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 1000} {
		r := newRing[int](t, capacity, nil)
		for round := range 3 {
			var accepted atomic.Int64
			var senders sync.WaitGroup
			for range 4 {
				senders.Go(func() {
					for range capacity {
						switch err := r.Send(1); {
						case err == nil:
							accepted.Add(1)
						case !errors.Is(err, mailbox.ErrFull):
							t.Errorf("capacity %d: Send: %v", capacity, err)
						}
					}
				})
			}
			senders.Wait()
			if n := accepted.Load(); n != int64(capacity) || r.Len() != capacity {
				t.Fatalf("capacity %d, round %d: %d accepted, Len %d", capacity, round, n, r.Len())
			}
			received := 0
			for v := 0; r.Recv(&v); received++ {
			}
			if received != capacity {
				t.Fatalf("capacity %d, round %d: %d received", capacity, round, received)
			}
			if err := r.Send(1); !errors.Is(err, mailbox.ErrFull) {
				t.Fatalf("capacity %d, round %d: Send before Release: %v", capacity, round, err)
			}
			r.Release(received)
		}
	}
}

// TestKeptMessage keeps one message while many others pass through the ring. It
// counts against the capacity although its cell is reused.
func TestKeptMessage(t *testing.T) {
	const capacity = 3
	r := newRing[int](t, capacity, nil)
	var kept int
	if err := r.Send(-1); err != nil || !r.Recv(&kept) {
		t.Fatal("first message lost")
	}
	for i := range 50 {
		for k := range capacity - 1 {
			if err := r.Send(i + k); err != nil {
				t.Fatalf("round %d: Send: %v with Len %d, capacity %d", i, err, r.Len(), capacity)
			}
		}
		if err := r.Send(0); !errors.Is(err, mailbox.ErrFull) {
			t.Fatalf("round %d: Send into the space of the kept message: %v", i, err)
		}
		for k := range capacity - 1 {
			var got int
			if !r.Recv(&got) || got != i+k {
				t.Fatalf("round %d: got %d, want %d", i, got, i+k)
			}
		}
		r.Release(capacity - 1)
	}
	r.Release(1)
	if r.Len() != 0 || kept != -1 {
		t.Fatalf("Len %d, kept message %d; want 0, -1", r.Len(), kept)
	}
}

func TestReleaseTooMany(t *testing.T) {
	for _, n := range []int{-1, 2} {
		r := newRing[int](t, 4, nil)
		var v int
		_ = r.Send(1)
		_ = r.Send(2)
		r.Recv(&v)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Release(%d) with 1 received: no panic", n)
				}
			}()
			r.Release(n)
		}()
		if r.Len() != 2 {
			t.Errorf("Release(%d) with 1 received: Len %d after the panic", n, r.Len())
		}
	}
}

// TestPreemptedSender has a sender that claimed a cell and has not filled it yet.
func TestPreemptedSender(t *testing.T) {
	wakes := 0
	s := mailbox.NewSleeper(func() { wakes++ })
	r := newRing[int](t, 4, s)
	first, err := r.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Send(2); err != nil {
		t.Fatal(err)
	}
	var v int
	if !r.Empty() || r.Recv(&v) || r.Len() != 2 {
		t.Fatalf("with an unfilled first cell: Empty %t, received %d, Len %d", r.Empty(), v, r.Len())
	}
	r.Close()
	if r.Done() {
		t.Fatal("Done before the last message was received")
	}
	s.Asleep()
	if !r.Empty() {
		t.Fatal("not Empty with an unfilled first cell: the consumer would spin")
	}
	r.Publish(first, 1)
	s.Wake()
	for want := 1; want <= 2; want++ {
		if !r.Recv(&v) || v != want {
			t.Fatalf("got %d, want %d", v, want)
		}
	}
	if wakes != 1 || !r.Done() {
		t.Fatalf("%d wakes, Done %t", wakes, r.Done())
	}
}

// TestTailOutOfDate has a sender that reads a tail older than freed.
func TestTailOutOfDate(t *testing.T) {
	r := newRing[int](t, 4, nil)
	r.StartAt(10)
	r.SetTail(8)
	if _, err := r.Claim(); err != nil {
		t.Fatalf("Claim with tail before freed: %v", err)
	}
}

func TestWakeOnceASleep(t *testing.T) {
	wakes := 0
	s := mailbox.NewSleeper(func() { wakes++ })
	a, b := newRing[int](t, 16, s), newRing[string](t, 16, s)
	send := func() {
		_ = a.Send(1)
		_ = b.Send("x")
	}
	send()
	if wakes != 0 {
		t.Fatalf("%d wakes of a consumer that is awake, want 0", wakes)
	}
	for n := 1; n <= 3; n++ {
		s.Asleep()
		send()
		send()
		if wakes != n || !s.Awake() {
			t.Fatalf("%d wakes in %d sleeps, want one in each", wakes, n)
		}
	}
	s.Asleep()
	if s.Awake() {
		t.Fatal("Awake = true without a Send")
	}
	send()
	s.Asleep()
	_ = a.Post(1)
	if wakes != 3 {
		t.Fatalf("%d wakes, want 3: neither a Send after Awake nor a Post wakes", wakes)
	}
	a.Close()
	if wakes != 4 {
		t.Fatal("Close did not wake the consumer")
	}
}

func TestAsleepWithoutWake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Asleep without a wake function does not panic")
		}
	}()
	new(mailbox.Sleeper).Asleep()
}

func TestCellKeepsNoPointers(t *testing.T) {
	r := newRing[*int](t, 2, nil)
	var v *int
	for p := range uint64(6) {
		if err := r.Send(new(int)); err != nil || !r.Recv(&v) || v == nil {
			t.Fatalf("message %d: %v, %v", p, err, v)
		}
		r.Release(1)
		if r.CellValue(p) != nil {
			t.Fatalf("the cell of message %d still has its pointer", p)
		}
	}
}

func TestHasPointers(t *testing.T) {
	type flat struct {
		A [4]uint32
		B struct {
			C bool
			D uintptr
			E complex128
		}
		F [0]*int
	}
	type deep struct {
		A int
		B [2]struct{ C map[int]int }
	}
	if mailbox.HasPointers[flat]() || mailbox.HasPointers[int]() || mailbox.HasPointers[struct{}]() {
		t.Error("HasPointers is true for a type without pointers")
	}
	if !mailbox.HasPointers[deep]() || !mailbox.HasPointers[string]() || !mailbox.HasPointers[any]() ||
		!mailbox.HasPointers[func()]() || !mailbox.HasPointers[[]int]() || !mailbox.HasPointers[chan int]() {
		t.Error("HasPointers is false for a type with pointers")
	}
}

// large is a message of several cache lines.
type large struct {
	Text  [31]uint64
	Reply *int
}

func TestNoAllocs(t *testing.T) {
	t.Run("small", func(t *testing.T) { noAllocs(t, message{}) })
	t.Run("pointers", func(t *testing.T) { noAllocs(t, "text") })
	t.Run("large", func(t *testing.T) { noAllocs(t, large{Reply: new(int)}) })
	t.Run("interface", func(t *testing.T) { noAllocs[any](t, t) })
}

func noAllocs[T any](t *testing.T, v T) {
	wakes := 0
	s := mailbox.NewSleeper(func() { wakes++ })
	r := newRing[T](t, 8, s)
	var out T
	allocs := testing.AllocsPerRun(100, func() {
		s.Asleep()
		for i := range r.Cap() + 1 {
			if err := r.Send(v); (err == nil) != (i < r.Cap()) {
				t.Fatalf("send %d: %v", i, err)
			}
		}
		s.Awake()
		n := 0
		for r.Recv(&out) {
			n++
		}
		r.Release(n)
		if r.Post(v) != nil || !r.Recv(&out) {
			t.Fatal("posted message lost")
		}
		r.Release(1)
	})
	if allocs != 0 || wakes == 0 {
		t.Errorf("%v allocations per run, want 0; %d wakes, want some", allocs, wakes)
	}
}
