package timerwheel

import "math/bits"

// The heads of all lists come first in Wheel.nodes, a bank of 64 after the
// other, each with its word in Wheel.used:
//
//	index      0     1   2..63   64..127   128..191   192..   ...   831   832...
//	         ┌─────┬─────┬──────┬─────────┬──────────┬───────────────────┬────────
//	         │ nil │ due │  -   │ level 0, two banks │ level 1 ... 5     │ timers
//	         └─────┴─────┴──────┴─────────┴──────────┴───────────────────┴────────
//
// Index 0 heads nothing, so that a link of 0 can mean: not linked.
const (
	due = 1

	slotBits = 6 // of a tick number, for each level: 64 buckets a bank
	levels   = 6
	slots    = 1 << slotBits

	banks = 1 + 2*levels
	heads = banks * slots

	spanBits = levels * slotBits // the last level's bank covers 2^36 ticks
)

// batch is how many timers of one level an Advance may move at most, as far as
// the caller follows Next: some ten microseconds of work.
const batch = 256

// bucketOf returns the head of the level's list for a tick. The bucket's number
// modulo 128 is its place in the two banks. (A shift by x & 63 spares the
// instructions for a shift by 64 and more, here and in file.)
func bucketOf(level uint, tick uint64) uint32 {
	return uint32(slots*(1+2*level)) + uint32(tick>>(slotBits*level&63))&(2*slots-1)
}

// file puts a timer that is in no list where its deadline belongs: in the
// lowest level whose two windows reach it. So the bucket that is being emptied,
// the one after the clock's, is never added to, as the level below reaches all
// of it.
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
}

// unlink takes a timer out of its list, whichever that is.
func (w *Wheel) unlink(n *node) {
	next, prev := n.next, n.prev
	n.next = 0
	nodes := w.nodes
	nodes[prev].next = next
	h := &nodes[next]
	h.prev = prev
	if next == prev { // the head alone is left
		w.used[next>>6] &^= 1 << (next & 63)
		h.when = 0
	}
}

// first returns the number of the level's first bucket in use, in units of the
// level's bucket, if there is one. Both banks are ahead of the clock.
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

// nextStop returns the next tick at which something must be done, however far
// the clock is to go: the tick of a bucket of level 0, or the last one before a
// higher bucket begins, by which that has to be empty.
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

// nextCall returns the tick by which the caller should advance the clock. A
// higher bucket has to be visited when it begins. If it is so full that to
// empty it in one go would be felt, visits are due from the start of the bucket
// before, each time that a batch has fallen due.
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

// share returns how many of the timers filed in a bucket go down each tick, so
// that it is empty when the clock has gone through the bucket before it.
func share(filed uint64, level uint) uint64 {
	s := slotBits * level
	return (filed + 1<<s - 1) >> s
}

// expire makes due what is filed for the present tick. Timers that were
// extended since go where they belong now.
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

// splice moves a whole list, not an empty one, to the end of those due.
func (w *Wheel) splice(head uint32) {
	h, d := &w.nodes[head], &w.nodes[due]
	first, last := h.next, h.prev
	w.nodes[d.prev].next, w.nodes[first].prev = first, d.prev
	w.nodes[last].next, d.prev = due, last
	w.used[due>>6] |= 1 << due

	h.next, h.prev, h.when = head, head, 0
	w.used[head>>6] &^= 1 << (head & 63)
}

// sink moves timers down from each level's bucket after the clock's: the share
// of the ticks that passed since that bucket became the next one. Nothing is
// filed in it from then on, so the shares add up to all that is in it by the
// last tick before it begins; and no tick is passed over, since nextStop stops
// there.
func (w *Wheel) sink(passed uint64) {
	for level := uint(levels - 1); level > 0; level-- {
		if bank := 1 + 2*level; w.used[bank]|w.used[bank+1] == 0 {
			continue
		}
		s := slotBits * level
		head := bucketOf(level, w.tick+1<<s)
		if w.used[head>>6]&(1<<(head&63)) == 0 {
			continue
		}
		inside := w.tick & (1<<s - 1) // how far the clock is in its own bucket
		w.lower(head, share(uint64(w.nodes[head].when), level)*min(passed, inside+1))
	}
}

// lower files up to most timers of a bucket anew.
func (w *Wheel) lower(head uint32, most uint64) {
	for ; most > 0; most-- {
		i := w.nodes[head].next
		if i == head {
			return
		}
		n := &w.nodes[i]
		w.unlink(n)
		w.file(n, i)
	}
}
