package mailbox

import (
	"fmt"
	"math/bits"
	"reflect"
	"sync/atomic"
)

// MaxCapacity is the largest capacity of a ring.
const MaxCapacity = 1 << 24

// Ring is a bounded queue of values of type T from any number of goroutines to
// one. Create it with [New]. The package comment lists which goroutine may call
// which method.
type Ring[T any] struct {
	cursors
	cells    []cell[T]
	mask     uint64
	sleeper  *Sleeper
	pointers bool // T has pointers, so Recv clears the cell
	_        cacheLinePad

	head uint64 // the next position to be received; used by the consumer only
	_    cacheLinePad
}

// cell holds one message.
type cell[T any] struct {
	// seq is p+1, truncated to 32 bits, when the message of position p is in the
	// cell. Before that it is the seq of position p - len(cells), or 0 in a new ring.
	// These differ, as a ring has at most MaxCapacity cells.
	seq   atomic.Uint32
	value T
}

// New returns an empty ring for up to capacity messages, 1 to [MaxCapacity]. The
// limit is exact; the memory is that of the next power of two.
//
// s is the Sleeper of the consumer, which may use it for several rings. It may be
// nil if the consumer never sleeps.
func New[T any](capacity int, s *Sleeper) (*Ring[T], error) {
	if capacity < 1 || capacity > MaxCapacity {
		return nil, fmt.Errorf("mailbox: capacity %d: want 1 to %d", capacity, MaxCapacity)
	}
	if s == nil {
		s = new(Sleeper)
	}
	size := uint64(1) << bits.Len(uint(capacity-1))
	return &Ring[T]{
		cursors:  cursors{limit: int64(capacity)},
		cells:    make([]cell[T], size),
		mask:     size - 1,
		sleeper:  s,
		pointers: hasPointers(reflect.TypeFor[T]()),
	}, nil
}

// hasPointers reports whether values of type t may contain pointers. It returns true
// for every type that it does not know.
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

// Send copies v into the ring and wakes the consumer if it sleeps. It returns
// [ErrFull] if there is no space and [ErrClosed] after Close; it never blocks. Any
// goroutine may call it.
func (r *Ring[T]) Send(v T) error {
	p, err := r.claim()
	if err != nil {
		return err
	}
	r.publish(p, v)
	r.sleeper.Wake()
	return nil
}

// Post is Send without the wake. Only the consumer may call it: it is awake then.
func (r *Ring[T]) Post(v T) error {
	p, err := r.claim()
	if err != nil {
		return err
	}
	r.publish(p, v)
	return nil
}

// publish stores v in the cell of position p, which the caller has claimed, and lets
// the consumer see it.
func (r *Ring[T]) publish(p uint64, v T) {
	c := &r.cells[p&r.mask]
	c.value = v
	c.seq.Store(uint32(p + 1))
}

// Close makes every later Send and Post return [ErrClosed], and wakes the consumer
// if it sleeps. Messages that were accepted can still be received. Any goroutine
// may call it, more than once.
func (r *Ring[T]) Close() {
	r.close()
	r.sleeper.Wake()
}

// Recv moves the next message to *dst and returns true. If there is none, it returns
// false and leaves *dst unchanged. The ring keeps no pointers of the message, but its
// space is in use until Release. Only the consumer may call it.
func (r *Ring[T]) Recv(dst *T) bool {
	c := &r.cells[r.head&r.mask]
	if c.seq.Load() != uint32(r.head+1) {
		return false
	}
	*dst = c.value
	if r.pointers {
		var zero T
		c.value = zero
	}
	r.head++
	return true
}

// Release makes the space of n received messages available to senders. Call it when
// n messages have been handled, preferably once per batch. Release panics if n is
// negative or more than the number of messages that are received and not released.
// Only the consumer may call it.
func (r *Ring[T]) Release(n int) {
	r.release(n, r.head)
}

// Empty reports whether Recv would return false. That is also so while a sender is
// still copying the next message. Only the consumer may call it.
func (r *Ring[T]) Empty() bool {
	return r.cells[r.head&r.mask].seq.Load() != uint32(r.head+1)
}

// Done reports whether the ring is closed and every message that it accepted has
// been received. Only the consumer may call it.
func (r *Ring[T]) Done() bool {
	return r.tail.Load() == r.head|closedBit
}

// Len returns the number of messages that are accepted and not released. It may have
// changed by the time the caller uses it. Any goroutine may call it.
func (r *Ring[T]) Len() int {
	return r.taken()
}

// Cap returns the capacity given to New. Any goroutine may call it.
func (r *Ring[T]) Cap() int {
	return int(r.limit)
}
