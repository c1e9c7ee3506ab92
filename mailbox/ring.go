package mailbox

import (
	"fmt"
	"math/bits"
	"reflect"
	"sync/atomic"
)

// MaxCapacity is the most messages that a ring may be made for.
const MaxCapacity = 1 << 24

// Ring is a bounded queue of values of type T from any number of goroutines to
// one. [New] makes it; it must not be copied. The package comment says who may
// call what.
type Ring[T any] struct {
	places
	cells    []cell[T]
	mask     uint64
	sleeper  *Sleeper
	pointers bool // T has pointers, which Recv must not leave in the cell
	_        cacheLinePad

	head uint64 // the next position to be received; the consumer's alone
	_    cacheLinePad
}

// cell is one place of the ring.
type cell[T any] struct {
	// seq is p+1, cut to 32 bits, once the message of position p is in the cell.
	// Before that it is of position p - len(cells), or 0 in a new ring: never the
	// same, as a ring has at most MaxCapacity cells.
	seq   atomic.Uint32
	value T
}

// New returns an empty ring that holds up to capacity messages, 1 to
// [MaxCapacity]. The limit is exact; the memory, allocated here and at no other
// time, is that of the next power of two.
//
// s belongs to the consumer, which may own several rings. It may be nil when the
// consumer never sleeps.
func New[T any](capacity int, s *Sleeper) (*Ring[T], error) {
	if capacity < 1 || capacity > MaxCapacity {
		return nil, fmt.Errorf("mailbox: capacity %d: want 1 to %d", capacity, MaxCapacity)
	}
	if s == nil {
		s = new(Sleeper)
	}
	size := uint64(1) << bits.Len(uint(capacity-1))
	return &Ring[T]{
		places:   places{limit: int64(capacity)},
		cells:    make([]cell[T], size),
		mask:     size - 1,
		sleeper:  s,
		pointers: hasPointers(reflect.TypeFor[T]()),
	}, nil
}

// hasPointers errs on the side of yes.
func hasPointers(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k >= reflect.Bool && k <= reflect.Complex128:
		return false
	case k == reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case k == reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return true
}

// Send copies v into the ring and wakes the consumer if it sleeps. It answers
// nil, [ErrFull] or [ErrClosed], at once. Any goroutine may call it.
func (r *Ring[T]) Send(v T) error {
	p, err := r.claim()
	if err != nil {
		return err
	}
	r.publish(p, v)
	r.sleeper.Wake()
	return nil
}

// Post is Send without the wake. It is for the consumer's own goroutine, which is
// awake when it posts.
func (r *Ring[T]) Post(v T) error {
	p, err := r.claim()
	if err != nil {
		return err
	}
	r.publish(p, v)
	return nil
}

// publish fills the cell of position p, which the caller has claimed.
func (r *Ring[T]) publish(p uint64, v T) {
	c := &r.cells[p&r.mask]
	c.value = v
	c.seq.Store(uint32(p + 1))
}

// Close ends the accepting: when it returns, every later Send and Post answers
// [ErrClosed]. What was accepted can still be received. A consumer that sleeps is
// woken. Any goroutine may call it, more than once.
func (r *Ring[T]) Close() {
	r.close()
	r.sleeper.Wake()
}

// Recv moves the next message to *dst, or answers false and leaves *dst alone when
// there is none. The cell keeps no pointers of it. Its place stays taken until
// Release. Only the consumer may call it.
func (r *Ring[T]) Recv(dst *T) bool {
	c := &r.cells[r.head&r.mask]
	if c.seq.Load() != uint32(r.head+1) {
		return false
	}
	*dst = c.value
	if r.pointers {
		var none T
		c.value = none
	}
	r.head++
	return true
}

// Release gives n places back to the senders: those of n messages that were
// received and are dealt with, whichever. It is meant to be called once for a
// batch, after it. Releasing more than was received panics. Only the consumer may
// call it.
func (r *Ring[T]) Release(n int) {
	r.release(n, r.head)
}

// Empty reports that Recv would find nothing. A message whose sender is still
// copying it counts as nothing. Only the consumer may call it.
func (r *Ring[T]) Empty() bool {
	return r.cells[r.head&r.mask].seq.Load() != uint32(r.head+1)
}

// Done reports that the ring is closed and all that it accepted is received: no
// message will ever come. Only the consumer may call it.
func (r *Ring[T]) Done() bool {
	return r.tail.Load() == r.head|closedBit
}

// Len is the number of messages accepted and not released. Others may change it
// at any time. Any goroutine may call it.
func (r *Ring[T]) Len() int {
	return r.taken()
}

// Cap is the capacity that the ring was made with.
func (r *Ring[T]) Cap() int {
	return int(r.limit)
}
