package timerwheel

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/stator-go/stator/internal/pages"
)

// Timer is the number of one of a wheel's timers, 0 to capacity-1.
type Timer uint32

// MaxTimers is the largest capacity of a wheel.
const MaxTimers = 1 << 26

// The finest and the coarsest resolution.
const (
	minResolution = 100 * time.Microsecond
	maxResolution = time.Second
)

// node is a timer, or the head of a list of timers. Lists are circular and doubly
// linked by indexes into Wheel.nodes, so a node can be unlinked without knowing
// its list. The zero node is a timer that is not armed.
type node struct {
	when int64  // of a timer: its deadline; of a bucket's head: timers filed since it was empty
	next uint32 // 0: not armed, in no list
	prev uint32
}

// Wheel stores the deadlines of a fixed number of timers. The package comment
// describes its accuracy, its order and its cost.
type Wheel struct {
	tick       uint64 // the clock in ticks since New; every bucket up to it is empty
	at         int64  // the clock in nanoseconds, rounded down to that tick
	call       uint64 // what nextCall returned; 0: to be computed again
	resolution uint64 // nanoseconds
	inverse    uint64 // of resolution, with shift; see divide
	shift      uint

	used     [banks]uint64 // bit i&63 of word i>>6: the list with head nodes[i] is not empty
	nodes    []node        // the heads, followed by the timers
	timers   []node        // nodes[heads:]
	periods  []int64       // by timer, nanoseconds; 0: not periodic
	armed    int
	periodic int // number of timers with a period; periods is not read while it is 0
}

// New returns a wheel with the timers 0 to capacity-1, none of them armed, whose
// clock is set to now. It returns an error if resolution is not within 100 µs to
// 1 s, or capacity not within 1 to MaxTimers.
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
	}
	w.inverse, w.shift = invert(w.resolution)
	w.nodes = pages.Alloc[Wheel, node](w, heads+capacity)
	w.periods = pages.Alloc[Wheel, int64](w, capacity)
	w.timers = w.nodes[heads:]
	for i := range uint32(heads) {
		w.nodes[i].next, w.nodes[i].prev = i, i
	}
	return w, nil
}

// Add arms t for when and makes it an ordinary timer if it was periodic. If t is
// already armed, its deadline is replaced; that includes a timer that has expired
// but was not returned by Expired yet.
func (w *Wheel) Add(t Timer, when int64) {
	if w.periodic != 0 {
		w.setPeriod(t, 0)
	}
	w.arm(t, when)
}

// AddEvery arms t for when, when+period, when+2*period and so on: when Expired
// returns t, it arms t again. If the clock has passed several of these times, t
// expires once for all of them and the next times stay multiples of period from
// when. If period is less than the resolution, AddEvery returns an error and leaves
// t unchanged.
func (w *Wheel) AddEvery(t Timer, when, period int64) error {
	if period < int64(w.resolution) {
		return fmt.Errorf("timerwheel: period %v: want at least the resolution, %v",
			time.Duration(period), time.Duration(w.resolution))
	}
	w.setPeriod(t, period)
	w.arm(t, when)
	return nil
}

// Extend arms t for when, as Add does, and is faster for a deadline that is pushed
// back often: if t is armed, has not expired, and when is not before its current
// deadline, Extend only stores when. A periodic timer stays periodic, and its next
// times are multiples of its period from when.
func (w *Wheel) Extend(t Timer, when int64) {
	n := &w.timers[t]
	if n.next != 0 && w.at < n.when && n.when <= when { // armed, not due
		n.when = when
		return
	}
	w.arm(t, when)
}

// Cancel disarms t and reports whether it was armed. A timer that has expired but
// was not returned by Expired yet counts as armed.
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

// Armed reports whether t is armed. A timer that has expired but was not returned
// by Expired yet counts as armed.
func (w *Wheel) Armed(t Timer) bool { return w.timers[t].next != 0 }

// When returns the deadline of t, not rounded, and whether t is armed.
func (w *Wheel) When(t Timer) (int64, bool) {
	if n := &w.timers[t]; n.next != 0 {
		return n.when, true
	}
	return 0, false
}

// Len returns the number of armed timers.
func (w *Wheel) Len() int { return w.armed }

// Advance sets the clock to now. Timers whose tick is reached are due: Expired
// returns them, after this or any later call of Advance. Advance does nothing if now
// is not after the clock.
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
		w.tick, w.call = stop, 0
		w.at += int64(passed * w.resolution)
		w.expire()
		w.moveDown(passed)
	}
}

// Expired returns the next timer that is due and disarms it, or returns false if
// none is due. A periodic timer is armed again for its next time instead.
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

// Next returns the time by which the caller should call Advance, or false if no
// timer is armed. If a timer is due, it returns a time not after the clock.
// Otherwise it returns a time after the clock and not after the tick of the earliest
// deadline.
//
// The time may be earlier than that deadline, for two reasons: a distant deadline is
// known only by its bucket, so each level may cost one extra call; and a bucket with
// many timers is moved down in several steps before it begins.
func (w *Wheel) Next() (when int64, ok bool) {
	if w.armed == 0 {
		return 0, false
	}
	if w.used[due>>6] != 0 {
		return w.at, true
	}
	if w.call == 0 {
		w.call = w.nextCall()
	}
	return w.timeOf(w.call), true
}

// arm files t for when, after unlinking it if it is in a list.
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

// repeat arms a periodic timer for the first of its times that is after the clock.
// If that time is beyond math.MaxInt64, the timer ends.
func (w *Wheel) repeat(t Timer) {
	period := uint64(w.periods[t])
	missed := uint64(w.at) - uint64(w.timers[t].when) // t was due, so this is not negative
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

// timeOf returns the time at which a tick begins, math.MaxInt64 at most.
func (w *Wheel) timeOf(tick uint64) int64 {
	over, ahead := bits.Mul64(tick-w.tick, w.resolution)
	if over != 0 || ahead > uint64(math.MaxInt64)-uint64(w.at) {
		return math.MaxInt64
	}
	return int64(uint64(w.at) + ahead)
}

// divide returns x / w.resolution. It multiplies by the inverse, which is several
// times faster than a division (Granlund and Montgomery, "Division by Invariant
// Integers using Multiplication", 1994).
func (w *Wheel) divide(x uint64) uint64 {
	if x > math.MaxInt64 { // 292 years: the product is not exact
		return x / w.resolution
	}
	high, _ := bits.Mul64(x, w.inverse)
	return high >> (w.shift & 63)
}

// invert returns 2^(64+shift)/d, rounded up, for the shift that makes the result a
// number of 64 bits. The result is too large by e/d, where e < d <= 2^(shift+1). So
// for x < 2^63 the product of x and the result is too large by less than
// 2^(64+shift)/d, and divide returns exactly x/d.
func invert(d uint64) (inverse uint64, shift uint) {
	shift = uint(bits.Len64(d-1)) - 1
	inverse, rest := bits.Div64(1<<shift, 0, d)
	if rest != 0 {
		inverse++
	}
	return inverse, shift
}
