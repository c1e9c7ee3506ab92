package timerwheel

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Timer names one of a wheel's deadlines, 0 to capacity-1.
type Timer uint32

// MaxTimers is the largest capacity of a wheel.
const MaxTimers = 1 << 26

// The finest and the coarsest resolution.
const (
	minResolution = 100 * time.Microsecond
	maxResolution = time.Second
)

// node is a timer, or the head of a list of timers. Lists are circular and
// doubly linked by indices into Wheel.nodes, so a node leaves its list without
// a word about which list that is. The zero node is a timer that is not armed.
type node struct {
	when int64  // a timer's deadline; in a bucket's head, how many were filed since it was empty
	next uint32 // 0: not armed, not in any list
	prev uint32
}

// Wheel keeps the deadlines of a fixed number of timers. See the package
// comment for what holds of time, order and goroutines.
type Wheel struct {
	tick       uint64 // the clock in ticks since New: every bucket up to it is empty
	at         int64  // the clock, rounded down to that tick
	resolution uint64 // nanoseconds
	inverse    uint64 // of resolution; see divide
	shift      uint

	used     [banks]uint64 // bit i&63 of word i>>6: the list with head nodes[i] is not empty
	nodes    []node        // the heads, then the timers
	timers   []node        // the timers: nodes[heads:]
	periods  []int64       // by timer; 0: not periodic
	armed    int
	periodic int // timers with a period; while 0, periods is not even read
}

// New returns a wheel of timers 0 to capacity-1, none armed, whose clock shows
// now. A resolution outside 100 µs to 1 s, or a capacity outside 1 to MaxTimers,
// is an error.
func New(capacity int, resolution time.Duration, now int64) (*Wheel, error) {
	if capacity < 1 || capacity > MaxTimers {
		return nil, fmt.Errorf("timerwheel: capacity %d: want 1 to %d", capacity, MaxTimers)
	}
	if resolution < minResolution || resolution > maxResolution {
		return nil, fmt.Errorf("timerwheel: resolution %v: want %v to %v", resolution, minResolution, maxResolution)
	}
	w := &Wheel{
		at:         now,
		resolution: uint64(resolution),
		nodes:      make([]node, heads+capacity),
		periods:    make([]int64, capacity),
	}
	w.inverse, w.shift = invert(w.resolution)
	untouch(w.nodes)
	untouch(w.periods)
	w.timers = w.nodes[heads:]
	for i := range uint32(heads) {
		w.nodes[i].next, w.nodes[i].prev = i, i
	}
	return w, nil
}

// Add arms t for when, exactly; a timer that is armed, or due and not popped
// yet, is moved. It is not periodic any more if it was.
func (w *Wheel) Add(t Timer, when int64) {
	if w.periodic != 0 {
		w.setPeriod(t, 0)
	}
	w.arm(t, when)
}

// AddEvery arms t for when, and then for when + period, when + 2 period, and so
// on: Expired, as it pops t, arms it anew. Periods that the clock has passed by
// then are skipped, not made up for, and the phase stays. A period below the
// resolution is an error, and t stays as it was.
func (w *Wheel) AddEvery(t Timer, when, period int64) error {
	if period < int64(w.resolution) {
		return fmt.Errorf("timerwheel: period %v: want the resolution, %v, or more",
			time.Duration(period), time.Duration(w.resolution))
	}
	w.setPeriod(t, period)
	w.arm(t, when)
	return nil
}

// Extend is Add for a deadline that is pushed back again and again: while t is
// running and when is not earlier than its deadline so far, nothing but the
// deadline is written. In all other cases the timer is moved, or armed. A
// periodic timer stays one, with its phase counted from when.
func (w *Wheel) Extend(t Timer, when int64) {
	n := &w.timers[t]
	if n.next != 0 && w.at < n.when && n.when <= when { // running, not due
		n.when = when
		return
	}
	w.arm(t, when)
}

// Cancel disarms t, which may be due already as long as Expired has not popped
// it, and reports whether it was armed.
func (w *Wheel) Cancel(t Timer) bool {
	n := &w.timers[t]
	if n.next == 0 {
		return false
	}
	w.unlink(n)
	w.armed--
	if w.periodic != 0 {
		w.setPeriod(t, 0)
	}
	return true
}

// Armed reports whether t is running, or due and not popped yet.
func (w *Wheel) Armed(t Timer) bool { return w.timers[t].next != 0 }

// When returns the deadline of t as it was given, if t is armed.
func (w *Wheel) When(t Timer) (int64, bool) {
	if n := &w.timers[t]; n.next != 0 {
		return n.when, true
	}
	return 0, false
}

// Len returns the number of armed timers, those included that are due.
func (w *Wheel) Len() int { return w.armed }

// Advance sets the clock to now and makes due what expired by then; an earlier
// time than that of the last call changes nothing. What is due stays so until
// Expired pops it, over any number of calls.
func (w *Wheel) Advance(now int64) {
	if now <= w.at {
		return
	}
	target := w.tick + w.divide(uint64(now)-uint64(w.at))
	for w.tick < target {
		stop := target
		if target-w.tick > 1 {
			stop = min(target, w.nextStop())
		}
		passed := stop - w.tick
		w.tick = stop
		w.at += int64(passed * w.resolution)
		w.expire()
		w.sink(passed)
	}
}

// Expired pops the next timer that is due and reports whether there was one. A
// timer that was popped is not armed, unless it is periodic.
func (w *Wheel) Expired() (Timer, bool) {
	if w.used[due>>6] == 0 {
		return 0, false
	}
	i := w.nodes[due].next
	n := &w.nodes[i]
	w.unlink(n)
	w.armed--
	t := Timer(i - heads)
	if w.periodic != 0 && w.periods[t] != 0 {
		w.repeat(t)
	}
	return t, true
}

// Next returns when Advance is next worth calling, or false when no timer is
// armed. That is at the tick of the earliest deadline or before: a distant
// deadline is known by its bucket only, so each level may add a call to it, and
// a crowded bucket wants to be emptied little by little before it begins. If a
// timer is due and not popped, it is a time already reached; otherwise it is
// later than the clock.
func (w *Wheel) Next() (when int64, ok bool) {
	if w.armed == 0 {
		return 0, false
	}
	if w.used[due>>6] != 0 {
		return w.at, true
	}
	return w.timeOf(w.nextCall()), true
}

// arm files t, wherever it was, for when.
func (w *Wheel) arm(t Timer, when int64) {
	n := &w.timers[t]
	if n.next != 0 {
		w.unlink(n)
	} else {
		w.armed++
	}
	n.when = when
	w.file(n, heads+uint32(t))
}

// repeat arms a periodic timer, just popped, for the first of its times that is
// after the clock. When the clock ends before, so does the timer.
func (w *Wheel) repeat(t Timer) {
	period := uint64(w.periods[t])
	missed := uint64(w.at) - uint64(w.timers[t].when) // a due timer's deadline is not after the clock
	ahead := period - missed%period
	if ahead > uint64(math.MaxInt64)-uint64(w.at) {
		w.setPeriod(t, 0)
		return
	}
	w.arm(t, w.at+int64(ahead))
}

func (w *Wheel) setPeriod(t Timer, period int64) {
	switch was := w.periods[t]; {
	case was == period:
		return
	case was == 0:
		w.periodic++
	case period == 0:
		w.periodic--
	}
	w.periods[t] = period
}

// timeOf returns when a tick begins, or the end of time if that is before.
func (w *Wheel) timeOf(tick uint64) int64 {
	over, ahead := bits.Mul64(tick-w.tick, w.resolution)
	if over != 0 || ahead > uint64(math.MaxInt64)-uint64(w.at) {
		return math.MaxInt64
	}
	return int64(uint64(w.at) + ahead)
}

// divide returns x / w.resolution. A multiplication does it in a fraction of
// the time that a division takes (Granlund and Montgomery, "Division by
// invariant integers using multiplication", 1994).
func (w *Wheel) divide(x uint64) uint64 {
	if x > math.MaxInt64 { // 292 years; the product is exact below only
		return x / w.resolution
	}
	high, _ := bits.Mul64(x, w.inverse)
	return high >> (w.shift & 63)
}

// invert returns 2^(64+shift)/d, rounded up, for the shift that makes it a
// number of 64 bits. It is too large by e/d, e < d <= 2^(shift+1); so x times
// it is too large by less than 2^(64+shift)/d, and x/d is right, while
// x < 2^63.
func invert(d uint64) (inverse uint64, shift uint) {
	shift = uint(bits.Len64(d-1)) - 1
	inverse, rest := bits.Div64(1<<shift, 0, d)
	if rest != 0 {
		inverse++
	}
	return inverse, shift
}
