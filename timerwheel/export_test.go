package timerwheel

import (
	"fmt"
	"math/bits"
)

// Check verifies all lists and returns an error that describes the first fault.
func (w *Wheel) Check() error {
	armed := 0
	for head := uint32(1); head < heads; head++ {
		n := 0
		for i, prev := w.nodes[head].next, head; i != head; prev, i = i, w.nodes[i].next {
			if i < heads || w.nodes[i].prev != prev {
				return fmt.Errorf("list %d: node %d has prev %d, want %d", head, i, w.nodes[i].prev, prev)
			}
			if err := w.checkPlace(head, w.nodes[i].when); err != nil {
				return fmt.Errorf("timer %d: %w", i-heads, err)
			}
			n++
		}
		if in := w.used[head>>6]>>(head&63)&1 == 1; in != (n > 0) {
			return fmt.Errorf("list %d: %d nodes, but its used bit is %v", head, n, in)
		}
		if filed := w.nodes[head].when; head != due && (filed < int64(n) || n == 0 && filed != 0) {
			return fmt.Errorf("list %d: %d nodes, but %d were filed", head, n, filed)
		}
		armed += n
	}
	if linked := w.linked(); armed != w.armed || linked != armed {
		return fmt.Errorf("%d timers in lists, %d linked, %d armed", armed, linked, w.armed)
	}
	return nil
}

func (w *Wheel) linked() (n int) {
	for i := range w.timers {
		if w.timers[i].next != 0 {
			n++
		}
	}
	return n
}

// checkPlace compares the list that a timer is in with its deadline and the clock.
func (w *Wheel) checkPlace(head uint32, when int64) error {
	if head == due {
		if when > w.at {
			return fmt.Errorf("due at %d, before its deadline %d", w.at, when)
		}
		return nil
	}
	level := uint(head/slots-1) / 2
	s := slotBits * level
	for ahead := range uint64(2 * slots) {
		bucket := w.tick>>s + ahead
		if bucketOf(level, bucket<<s) != head {
			continue
		}
		if windows := bucket>>slotBits - w.tick>>s>>slotBits; windows > 1 {
			return fmt.Errorf("in bucket %d of level %d, %d windows ahead", bucket, level, windows)
		}
		if begins := w.timeOf(bucket << s); ahead == 0 {
			return fmt.Errorf("in bucket %d of level %d, which the clock has entered", bucket, level)
		} else if when > w.at && when <= begins-int64(w.resolution) {
			return fmt.Errorf("deadline %d, but in bucket %d of level %d, which begins at %d", when, bucket, level, begins)
		}
		return nil
	}
	return fmt.Errorf("in list %d, which is not a bucket", head)
}

// Above returns how many timers are in buckets of the given level and higher.
func (w *Wheel) Above(level uint) (n int) {
	for word := 1 + 2*level; word < banks; word++ {
		for set := w.used[word]; set != 0; set &= set - 1 {
			head := uint32(word*slots) + uint32(bits.TrailingZeros64(set))
			for i := w.nodes[head].next; i != head; i = w.nodes[i].next {
				n++
			}
		}
	}
	return n
}

// Divide returns x divided by the resolution.
func (w *Wheel) Divide(x uint64) uint64 { return w.divide(x) }

// Batch is the number of timers of one level that Next lets a single Advance move.
const Batch = batch

// Memory returns the two tables, for tests that measure their memory.
func (w *Wheel) Memory() (nodes []node, periods []int64) { return w.nodes, w.periods }
