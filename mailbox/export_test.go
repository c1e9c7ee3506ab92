package mailbox

import (
	"fmt"
	"reflect"
	"strings"
)

// StartAt sets a new ring to the state after position messages were sent, received
// and released.
func (r *Ring[T]) StartAt(position uint64) {
	r.tail.Store(position)
	r.freed.Store(position)
	r.head = position
	for p := position; p < position+uint64(len(r.cells)); p++ {
		// The last message in this cell had the position len(cells) before p.
		r.cells[p&r.mask].seq.Store(uint32(p - uint64(len(r.cells)) + 1))
	}
}

func (r *Ring[T]) SetTail(position uint64) { r.tail.Store(position) }

// Claim and Publish are the two halves of Post: they simulate a sender that is
// preempted in between.
func (r *Ring[T]) Claim() (uint64, error)  { return r.claim() }
func (r *Ring[T]) Publish(pos uint64, v T) { r.publish(pos, v) }
func (r *Ring[T]) CellValue(pos uint64) T  { return r.cells[pos&r.mask].value }
func (s *Sleeper) IsAsleep() bool          { return s.asleep.Load() != 0 }
func HasPointers[T any]() bool             { return hasPointers(reflect.TypeFor[T]()) }

// State describes the ring for a failure message. Any goroutine may call it.
func (r *Ring[T]) State() string {
	freed, t := r.freed.Load(), r.tail.Load()
	var b strings.Builder
	fmt.Fprintf(&b, "freed %d, tail %d, closed %t, limit %d, published:", freed, t&^closedBit, t&closedBit != 0, r.limit)
	for p := freed; p < t&^closedBit; p++ {
		fmt.Fprintf(&b, " %d:%t", p, r.cells[p&r.mask].seq.Load() == uint32(p+1))
	}
	return b.String()
}
