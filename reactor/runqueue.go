package reactor

import "github.com/stator-go/stator/slab"

// runQueue is the machines that have something to do, first come, first served: a
// list through their slots, so that it never allocates.
type runQueue struct {
	slots       *slab.Slab[header]
	first, last uint32 // as index+1; 0: none
	len         int
	left        int // machines that are still to run in this turn
}

// push puts a machine at the end of the queue, unless it is there already.
func (q *runQueue) push(x uint32, h *header) {
	if h.flags&(mQueued|mDead) != 0 {
		return
	}
	h.flags |= mQueued
	h.next = 0
	if q.last == 0 {
		q.first = x + 1
	} else {
		q.slots.At(q.last - 1).next = x + 1
	}
	q.last = x + 1
	q.len++
}

// pop takes the first machine out.
func (q *runQueue) pop() (uint32, *header) {
	x := q.first - 1
	h := q.slots.At(x)
	if q.first = h.next; q.first == 0 {
		q.last = 0
	}
	q.len--
	h.flags &^= mQueued
	return x, h
}
