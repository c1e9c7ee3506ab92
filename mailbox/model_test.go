package mailbox_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stator-go/stator/mailbox"
)

// model is the simplest implementation of a ring and its sleeper.
type model struct {
	capacity int
	queue    []int // accepted, not received
	held     int   // received, not released
	closed   bool
	asleep   bool
	wakes    int
}

func (m *model) post(v int) error {
	switch {
	case m.closed:
		return mailbox.ErrClosed
	case len(m.queue)+m.held == m.capacity:
		return mailbox.ErrFull
	}
	m.queue = append(m.queue, v)
	return nil
}

func (m *model) wake() {
	if m.asleep {
		m.asleep = false
		m.wakes++
	}
}

// TestModel compares a ring with its model after each of many random calls, both for
// the first messages of a ring and where the 32-bit sequence of its cells wraps.
func TestModel(t *testing.T) {
	for _, start := range []uint64{0, 1<<32 - 50, 1<<40 - 50} {
		for seed := range uint64(40) {
			rng := rand.New(rand.NewPCG(seed, start))
			compareWithModel(t, start, 1+rng.IntN(9), rng)
		}
	}
}

func compareWithModel(t *testing.T, start uint64, capacity int, rng *rand.Rand) {
	t.Helper()
	wakes := 0
	s := mailbox.NewSleeper(func() { wakes++ })
	r := newRing[int](t, capacity, s)
	r.StartAt(start)
	m := &model{capacity: capacity}
	closeAt := 300 + rng.IntN(600)
	for step := range 1000 {
		op := rng.IntN(12)
		if step == closeAt {
			op = 12
		}
		switch op {
		case 0, 1, 2:
			got, want := r.Send(step), m.post(step)
			if want == nil {
				m.wake()
			}
			if !errors.Is(got, want) {
				t.Fatalf("start %d, capacity %d, step %d: Send: %v, want %v", start, capacity, step, got, want)
			}
		case 3, 4:
			if got, want := r.Post(step), m.post(step); !errors.Is(got, want) {
				t.Fatalf("start %d, capacity %d, step %d: Post: %v, want %v", start, capacity, step, got, want)
			}
		case 5, 6, 7, 8:
			const unchanged = -1
			got, want := unchanged, unchanged
			if len(m.queue) > 0 {
				want = m.queue[0]
				m.queue = m.queue[1:]
				m.held++
			}
			if ok := r.Recv(&got); got != want || ok != (want != unchanged) {
				t.Fatalf("start %d, capacity %d, step %d: Recv: %d, %t, want %d", start, capacity, step, got, ok, want)
			}
		case 9:
			n := rng.IntN(m.held + 1)
			r.Release(n)
			m.held -= n
		case 10:
			s.Asleep()
			m.asleep = true
		case 11:
			if woken := s.Awake(); woken == m.asleep {
				t.Fatalf("start %d, capacity %d, step %d: Awake: woken %t, asleep %t", start, capacity, step, woken, m.asleep)
			}
			m.asleep = false
		case 12:
			r.Close()
			m.closed = true
			m.wake()
		}
		if r.Len() != len(m.queue)+m.held || r.Empty() != (len(m.queue) == 0) ||
			r.Done() != (m.closed && len(m.queue) == 0) || r.Cap() != capacity || wakes != m.wakes {
			t.Fatalf("start %d, capacity %d, step %d, op %d: Len %d, Empty %t, Done %t, Cap %d, wakes %d; want %+v",
				start, capacity, step, op, r.Len(), r.Empty(), r.Done(), r.Cap(), wakes, m)
		}
	}
}
