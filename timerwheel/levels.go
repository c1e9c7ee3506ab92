package timerwheel

import "math/bits"

// Wheel.nodes begins with the heads of all lists, in banks of 64. Each bank has a
// word of Wheel.used:
//
//	index      0     1   2..63   64..127   128..191   192..   ...   831   832...
//	         ┌─────┬─────┬──────┬─────────┬──────────┬───────────────────┬────────
//	         │ nil │ due │  -   │ level 0, two banks │ level 1 ... 5     │ timers
//	         └─────┴─────┴──────┴─────────┴──────────┴───────────────────┴────────
//
// Index 0 is no list's head, so that a link of 0 can mean: not linked.
const (
	due = 1

	slotBits = 6 // bits of a tick number that select a bucket in a bank
	levels   = 6
	slots    = 1 << slotBits // buckets per bank

	banks = 1 + 2*levels
	heads = banks * slots

	spanBits = levels * slotBits // a bank of the last level covers 2^36 ticks
)

// batch is the number of timers of one level that Next lets a single Advance move:
// about ten microseconds of work.
const batch = 256

// bucketOf returns the head of the level's bucket for a tick. The bucket's number
// modulo 128 is its position in the two banks. (The & 63 spares the instructions
// that handle shifts by 64 or more, here and in file.)
func bucketOf(level uint, tick uint64) uint32 {
	return uint32(slots*(1+2*level)) + uint32(tick>>(slotBits*level&63))&(2*slots-1)
}

// file links a timer that is in no list into the bucket for its deadline, in the
// lowest level whose two windows include it. So nothing is added to the bucket after
// the clock's in any level above 0: the level below includes all of its ticks. That
// is the bucket that moveDown empties.
func (w *Wheel) file(n *node, i uint32) {
	ahead := uint64(1)
	if n.when > w.at {
		ahead = w.divide(uint64(n.when)-uint64(w.at)-1) + 1
	}
	tick := w.tick + ahead
	level := uint(bits.Len64(ahead)-1) / slotBits // 64^level <= ahead < 64^(level+1)
	if level > 0 {
		if level >= levels {
			level = levels
			tick = min(tick, (w.tick>>spanBits+2)<<spanBits-1)
		}
		if s := slotBits * level & 63; tick>>s-w.tick>>s <= 1 {
			level--
		}
	}
	w.link(bucketOf(level, tick), n, i)
}

// link appends a timer to a list.
func (w *Wheel) link(head uint32, n *node, i uint32) {
	nodes := w.nodes
	h := &nodes[head]
	last := h.prev
	n.next, n.prev = head, last
	nodes[last].next = i
	h.prev = i
	h.when++
	w.used[head>>6] |= 1 << (head & 63)
	w.call = 0
}

// unlink removes a timer from its list.
func (w *Wheel) unlink(n *node) {
	next, prev := n.next, n.prev
	n.next = 0
	nodes := w.nodes
	nodes[prev].next = next
	h := &nodes[next]
	h.prev = prev
	if next == prev { // only the head is left
		w.used[next>>6] &^= 1 << (next & 63)
		h.when = 0
		w.call = 0
	}
}

// first returns the number of the level's first bucket that is not empty, counted in
// buckets of that level, and whether there is one. The used buckets of both banks
// are ahead of the clock.
func (w *Wheel) first(level uint) (bucket uint64, ok bool) {
	window := w.tick >> (slotBits * (level + 1))
	bank := 1 + 2*level
	if word := w.used[bank+uint(window&1)]; word != 0 {
		return window<<slotBits + uint64(bits.TrailingZeros64(word)), true
	}
	window++
	if word := w.used[bank+uint(window&1)]; word != 0 {
		return window<<slotBits + uint64(bits.TrailingZeros64(word)), true
	}
	return 0, false
}

// nextStop returns the next tick at which Advance must do work, however far the
// clock is to go: the tick of a bucket of level 0, or the last tick before a bucket
// of a higher level, by which that bucket must be empty.
func (w *Wheel) nextStop() uint64 {
	stop := ^uint64(0)
	for level := range uint(levels) {
		bucket, ok := w.first(level)
		if !ok {
			continue
		}
		tick := bucket << (slotBits * level)
		if level > 0 {
			tick--
		}
		stop = min(stop, tick)
	}
	return stop
}

// nextCall returns the tick by which the caller should advance the clock. A bucket
// of a higher level needs a call when it begins. If it holds more than a batch, it
// needs calls from the start of the bucket before it, one for each batch to move
// down.
func (w *Wheel) nextCall() uint64 {
	call := ^uint64(0)
	for level := range uint(levels) {
		bucket, ok := w.first(level)
		if !ok {
			continue
		}
		s := slotBits * level
		tick := bucket << s
		if filed := uint64(w.nodes[bucketOf(level, tick)].when); level > 0 && filed > batch {
			tick = (bucket - 1) << s
			if tick <= w.tick {
				tick = w.tick + max(1, batch/share(filed, level))
			}
			tick = min(tick, bucket<<s)
		}
		call = min(call, tick)
	}
	return call
}

// share returns how many of the timers filed in a bucket are moved down in each
// tick, so that the bucket is empty when the clock leaves the bucket before it.
func share(filed uint64, level uint) uint64 {
	s := slotBits * level
	return (filed + 1<<s - 1) >> s
}

// expire moves the timers filed for the current tick to the list of due timers, and
// files those that were extended again.
func (w *Wheel) expire() {
	head := bucketOf(0, w.tick)
	if w.used[head>>6]&(1<<(head&63)) == 0 {
		return
	}
	h := &w.nodes[head]
	for i := h.next; i != head; {
		n := &w.nodes[i]
		next := n.next
		if n.when > w.at {
			w.unlink(n)
			w.file(n, i)
		}
		i = next
	}
	if h.next != head {
		w.splice(head)
	}
}

// splice appends a whole list, which must not be empty, to the list of due timers.
func (w *Wheel) splice(head uint32) {
	h, d := &w.nodes[head], &w.nodes[due]
	first, last := h.next, h.prev
	w.nodes[d.prev].next, w.nodes[first].prev = first, d.prev
	w.nodes[last].next, d.prev = due, last
	w.used[due>>6] |= 1 << due

	h.next, h.prev, h.when = head, head, 0
	w.used[head>>6] &^= 1 << (head & 63)
}

// moveDown moves timers down from the bucket after the clock's in each level: the
// share of each tick that passed since that bucket became the next one. Nothing is
// added to the bucket in that time, so the shares of all its ticks empty it before
// it begins. The last tick before it is never skipped, as nextStop returns it.
func (w *Wheel) moveDown(passed uint64) {
	for level := uint(levels - 1); level > 0; level-- {
		if bank := 1 + 2*level; w.used[bank]|w.used[bank+1] == 0 {
			continue
		}
		s := slotBits * level
		head := bucketOf(level, w.tick+1<<s)
		if w.used[head>>6]&(1<<(head&63)) == 0 {
			continue
		}
		inside := w.tick & (1<<s - 1) // ticks since the clock entered its bucket
		w.refile(head, share(uint64(w.nodes[head].when), level)*min(passed, inside+1))
	}
}

// refile files up to limit timers of a bucket again.
func (w *Wheel) refile(head uint32, limit uint64) {
	for ; limit > 0; limit-- {
		i := w.nodes[head].next
		if i == head {
			return
		}
		n := &w.nodes[i]
		w.unlink(n)
		w.file(n, i)
	}
}
