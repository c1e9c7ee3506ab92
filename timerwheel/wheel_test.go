package timerwheel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/timerwheel"
)

const ms = int64(time.Millisecond)

func drain(w *timerwheel.Wheel) (all []timerwheel.Timer) {
	for t, ok := w.Expired(); ok; t, ok = w.Expired() {
		all = append(all, t)
	}
	return all
}

// expect advances the clock and compares the timers that expire, in order.
func expect(t *testing.T, w *timerwheel.Wheel, now int64, want ...timerwheel.Timer) {
	t.Helper()
	w.Advance(now)
	if got := drain(w); !slices.Equal(got, want) {
		t.Errorf("at %d the timers %v expired, want %v", now, got, want)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		capacity   int
		resolution time.Duration
		want       string
	}{
		{0, time.Millisecond, "timerwheel: capacity 0: want 1 to 67108864"},
		{-1, time.Millisecond, "timerwheel: capacity -1: want 1 to 67108864"},
		{timerwheel.MaxTimers + 1, time.Millisecond, "timerwheel: capacity 67108865: want 1 to 67108864"},
		{1, 99 * time.Microsecond, "timerwheel: resolution 99µs: want 100µs to 1s"},
		{1, time.Second + 1, "timerwheel: resolution 1.000000001s: want 100µs to 1s"},
		{1, -time.Millisecond, "timerwheel: resolution -1ms: want 100µs to 1s"},
	} {
		if w, err := timerwheel.New(c.capacity, c.resolution, 0); w != nil || err == nil || err.Error() != c.want {
			t.Errorf("New(%d, %v) = %v, %v; want the error %q", c.capacity, c.resolution, w, err, c.want)
		}
	}
	for _, resolution := range []time.Duration{100 * time.Microsecond, time.Second} {
		newWheel(t, 1, resolution, 0)
	}
}

func TestRounding(t *testing.T) {
	const start = 12345 // ticks are counted from the time given to New
	w := newWheel(t, 8, time.Millisecond, start)
	w.Add(0, start+1)
	w.Add(1, start+ms)
	w.Add(2, start+ms+1)
	expect(t, w, start+ms-1)
	expect(t, w, start+ms, 0, 1)
	expect(t, w, start+2*ms-1)
	expect(t, w, start+2*ms, 2)
}

func TestPastIsDueAtTheNextTick(t *testing.T) {
	w := newWheel(t, 8, time.Millisecond, 0)
	w.Advance(10 * ms)
	for i, when := range []int64{10 * ms, 9 * ms, 0, -1, math.MinInt64} {
		w.Add(timerwheel.Timer(i), when)
		if got, ok := w.When(timerwheel.Timer(i)); !ok || got != when {
			t.Errorf("When = %d, %v; want %d", got, ok, when)
		}
	}
	if next, ok := w.Next(); !ok || next != 11*ms {
		t.Errorf("Next = %d, %v; want the next tick, %d", next, ok, 11*ms)
	}
	expect(t, w, 11*ms-1)
	expect(t, w, 11*ms, 0, 1, 2, 3, 4)
}

// A loop over Expired ends even if each timer is armed again for the current time.
func TestRearmedForNowEnds(t *testing.T) {
	w := newWheel(t, 1, time.Millisecond, 0)
	w.Add(0, 0)
	for tick := range int64(100) {
		now := (tick + 1) * ms
		w.Advance(now)
		expired := 0
		for timer, ok := w.Expired(); ok; timer, ok = w.Expired() {
			if expired++; expired > 1 {
				t.Fatal("the timer expired twice in one tick")
			}
			w.Add(timer, now)
		}
		if expired != 1 {
			t.Fatalf("the timer expired %d times at tick %d, want once", expired, tick)
		}
	}
}

func TestDueTimersCanBeCancelledAndMoved(t *testing.T) {
	w := newWheel(t, 8, time.Millisecond, 0)
	for i := range timerwheel.Timer(6) {
		w.Add(i, int64(i)*ms)
	}
	w.Advance(50 * ms)
	if first, ok := w.Expired(); !ok || first > 1 { // timer 0 was past, so 0 and 1 have the same tick
		t.Fatalf("Expired = %d, %v; want 0 or 1", first, ok)
	}
	if !w.Armed(3) || !w.Cancel(3) || w.Armed(3) || w.Cancel(3) {
		t.Error("Cancel of a due timer: want true, then false")
	}
	w.Add(4, 60*ms)
	w.Extend(5, 70*ms)
	if w.Len() != 4 {
		t.Errorf("Len = %d, want 4", w.Len())
	}
	if got := drain(w); len(got) != 2 || got[1] != 2 {
		t.Errorf("expired: %v, want the other one of 0 and 1, then 2", got)
	}
	expect(t, w, 60*ms, 4)
	expect(t, w, 70*ms, 5)
}

func TestOrderOverSeveralAdvances(t *testing.T) {
	w := newWheel(t, 8, time.Millisecond, 0)
	w.Add(0, 5*ms)
	w.Add(1, 3*ms)
	w.Advance(10 * ms)
	w.Add(2, 12*ms)
	w.Extend(1, 11*ms)
	expect(t, w, 20*ms, 0, 1, 2)
}

func TestExtend(t *testing.T) {
	w := newWheel(t, 2, time.Millisecond, 0)
	w.Extend(0, 10*ms) // not armed yet
	for i := range int64(1000) {
		w.Extend(0, (10+i)*ms)
		w.Advance(i * ms)
	}
	if when, ok := w.When(0); !ok || when != 1009*ms {
		t.Errorf("When = %d, %v; want %d, true", when, ok, 1009*ms)
	}
	w.Extend(0, 1005*ms) // earlier than before
	expect(t, w, 1005*ms-1)
	expect(t, w, 1005*ms, 0)
	if w.Armed(0) || w.Len() != 0 {
		t.Error("armed after it expired")
	}
}

func TestPeriodic(t *testing.T) {
	w := newWheel(t, 2, time.Millisecond, 0)
	if err := w.AddEvery(0, 3*ms, 10*ms); err != nil {
		t.Fatal(err)
	}
	expect(t, w, 3*ms, 0)
	expect(t, w, 12*ms)
	expect(t, w, 13*ms, 0)
	expect(t, w, 57*ms, 0) // once for 23, 33, 43 and 53
	if when, _ := w.When(0); when != 63*ms {
		t.Errorf("When = %d, want %d, 3 ms after a multiple of the period", when, 63*ms)
	}
	expect(t, w, 63*ms, 0)

	w.Advance(73 * ms)
	if !w.Cancel(0) {
		t.Error("Cancel of a due periodic timer = false")
	}
	expect(t, w, 200*ms)

	w.AddEvery(0, 210*ms, 10*ms)
	w.Extend(0, 215*ms)
	expect(t, w, 215*ms, 0)
	expect(t, w, 225*ms, 0)
	w.Add(0, 230*ms)
	expect(t, w, 230*ms, 0)
	expect(t, w, 300*ms)
	if w.Len() != 0 {
		t.Errorf("Len = %d after Add made the timer an ordinary one", w.Len())
	}
}

func TestAddEveryRefuses(t *testing.T) {
	w := newWheel(t, 1, time.Millisecond, 0)
	w.Add(0, 5*ms)
	for _, period := range []int64{0, -1, math.MinInt64, ms - 1} {
		if err := w.AddEvery(0, ms, period); err == nil {
			t.Errorf("AddEvery accepted a period of %d", period)
		}
	}
	want := "timerwheel: period 999.999µs: want at least the resolution, 1ms"
	if err := w.AddEvery(0, ms, ms-1); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if when, ok := w.When(0); !ok || when != 5*ms {
		t.Errorf("When = %d, %v after a refused AddEvery; want %d, true", when, ok, 5*ms)
	}
}

// TestAllMagnitudes has a deadline at each power of two and its two neighbours, so
// at the ends of each level's windows too.
func TestAllMagnitudes(t *testing.T) {
	for _, start := range []int64{math.MinInt64, -1, 0, 1 << 40} {
		w := newWheel(t, 1000, 100*time.Microsecond, start)
		var deadlines []int64
		for bit := range 63 {
			for _, d := range []int64{-1, 0, 1} {
				if when := start + 1<<bit + d; when > start {
					w.Add(timerwheel.Timer(len(deadlines)), when)
					deadlines = append(deadlines, when)
				}
			}
		}
		w.Add(timerwheel.Timer(len(deadlines)), math.MaxInt64)
		expired, now := 0, start
		for expired < len(deadlines) {
			next, ok := w.Next()
			if !ok || next <= now {
				t.Fatalf("Next = %d, %v at %d", next, ok, now)
			}
			now = next
			w.Advance(now)
			for _, timer := range drain(w) {
				late := uint64(now) - uint64(deadlines[timer])
				if now < deadlines[timer] || late >= uint64(100*time.Microsecond) {
					t.Fatalf("the timer for %d expired at %d", deadlines[timer], now)
				}
				expired++
			}
			if err := w.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if w.Len() != 1 {
			t.Errorf("%d timers left, want the one at math.MaxInt64", w.Len())
		}
	}
}

// TestJumps advances by ten thousand days in ticks of 100 µs: if Advance visited each
// tick, the test would take hours.
func TestJumps(t *testing.T) {
	const day = int64(24 * time.Hour)
	w := newWheel(t, 3, 100*time.Microsecond, 0)
	w.AddEvery(0, day/2, day)
	w.Add(1, math.MaxInt64)
	for i := range int64(10_000) {
		w.Extend(2, (i+2)*day)
		expect(t, w, (i+1)*day, 0)
	}
	expect(t, w, 10_001*day, 0, 2)
	w.Advance(math.MaxInt64 - day)
	if got := drain(w); len(got) != 1 || got[0] != 0 || w.Len() != 2 {
		t.Errorf("a day before math.MaxInt64: expired %v, %d left; want [0], 2 left", got, w.Len())
	}
}

// A periodic timer ends when its next time would overflow.
func TestPeriodicAtTheEndOfTime(t *testing.T) {
	w := newWheel(t, 1, time.Second, math.MaxInt64-int64(10*time.Second))
	w.AddEvery(0, math.MaxInt64-int64(5*time.Second), int64(time.Minute))
	expect(t, w, math.MaxInt64, 0)
	if w.Len() != 0 {
		when, _ := w.When(0)
		t.Errorf("armed for %d, want not armed", when)
	}
}

func TestClockNeverRunsBackward(t *testing.T) {
	w := newWheel(t, 1, time.Millisecond, 0)
	w.Advance(100 * ms)
	w.Advance(-5)
	w.Advance(50 * ms)
	w.Add(0, 101*ms)
	if next, _ := w.Next(); next != 101*ms {
		t.Errorf("Next = %d, want %d", next, 101*ms)
	}
	expect(t, w, 101*ms, 0)
}

// A caller that waits until Next needs at most one call per level for a timer.
func TestNextTakesFewCalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		start := rng.Int64N(1 << 50)
		w := newWheel(t, 1, time.Millisecond, start)
		when := start + span(rng, 56)
		w.Add(0, when)
		calls := 0
		for w.Len() > 0 {
			next, _ := w.Next()
			w.Advance(next)
			drain(w)
			calls++
		}
		if calls > 7 {
			t.Errorf("%d calls of Next to reach a deadline %d ns ahead, want 7 or fewer", calls, when-start)
		}
	}
}

// If the caller waits until Next, one Advance moves only a part of a bucket with
// many timers, even when all deadlines are close together.
func TestNothingCascadesAtOnce(t *testing.T) {
	const timers = 50_000
	w := newWheel(t, timers, time.Millisecond, 0)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range timerwheel.Timer(timers) { // two buckets of level 2
		w.Add(i, 20_000*ms+rng.Int64N(8192*ms))
	}
	before, most, calls := w.Above(2), 0, 0
	for before > 0 {
		next, _ := w.Next()
		w.Advance(next)
		drain(w)
		after := w.Above(2)
		most, before = max(most, before-after), after
		calls++
	}
	if most > 2*timerwheel.Batch {
		t.Errorf("one call moved %d timers, want at most %d", most, 2*timerwheel.Batch)
	}
	if w.Len() == 0 || calls > 20_000 {
		t.Errorf("%d calls, %d timers left; want at most 20000 calls, and timers left", calls, w.Len())
	}
}

// A bucket with many timers is moved down in steps; the last step must come before
// the bucket begins. The earliest deadlines are filed last, so they are moved last.
func TestNextIsNotLateForCrowds(t *testing.T) {
	for _, c := range []struct{ timers, begin, length int64 }{
		{300, 128, 1}, {300, 128, 64}, {5000, 128, 64}, {300, 3 * 4096, 1}, {5000, 3 * 4096, 70},
	} {
		w := newWheel(t, int(c.timers), time.Millisecond, 0)
		deadline := func(i int64) int64 { return (c.begin + (c.timers-1-i)*c.length/c.timers) * ms }
		for i := range c.timers {
			w.Add(timerwheel.Timer(i), deadline(i))
		}
		for expired := int64(0); expired < c.timers; {
			now, _ := w.Next()
			w.Advance(now)
			for _, timer := range drain(w) {
				if when := deadline(int64(timer)); when != now {
					t.Fatalf("%d timers from tick %d: the timer for %d expired at %d", c.timers, c.begin, when, now)
				}
				expired++
			}
		}
	}
}

// The bucket of this deadline begins 2^64 ns after the clock.
func TestNextDoesNotOverflow(t *testing.T) {
	w := newWheel(t, 1, 1<<29, math.MinInt64)
	w.Add(0, math.MaxInt64)
	if next, ok := w.Next(); !ok || next != math.MaxInt64 {
		t.Errorf("Next = %d, %v; want math.MaxInt64, true", next, ok)
	}
}

// A bucket of level 2 holds about a thousand of these timers, which are moved down
// in the 4096 ticks before it begins: at most one in each tick.
func TestSharesAreEven(t *testing.T) {
	const (
		timers = 5_000
		ticks  = 20_000
	)
	w := newWheel(t, timers, time.Millisecond, 0)
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range timerwheel.Timer(timers) {
		w.Add(i, rng.Int64N(ticks*ms))
	}
	before, most := w.Above(2), 0
	for tick := range int64(ticks) {
		w.Advance((tick + 1) * ms)
		drain(w)
		after := w.Above(2)
		most, before = max(most, before-after), after
	}
	if most > 1 || w.Len() != 0 {
		t.Errorf("one tick moved %d timers down from level 2, want at most 1; %d timers left at the end, want 0", most, w.Len())
	}
}

func TestZeroWheel(t *testing.T) {
	var w timerwheel.Wheel
	w.Advance(math.MaxInt64)
	if _, ok := w.Expired(); ok || w.Len() != 0 {
		t.Error("the zero wheel has timers")
	}
	if _, ok := w.Next(); ok {
		t.Error("Next of the zero wheel = true")
	}
}

func TestTimersOutOfRangePanic(t *testing.T) {
	w := newWheel(t, 10, time.Millisecond, 0)
	for name, f := range map[string]func(timerwheel.Timer){
		"Add":      func(t timerwheel.Timer) { w.Add(t, 1) },
		"AddEvery": func(t timerwheel.Timer) { w.AddEvery(t, 1, ms) },
		"Extend":   func(t timerwheel.Timer) { w.Extend(t, 1) },
		"Cancel":   func(t timerwheel.Timer) { w.Cancel(t) },
	} {
		for _, timer := range []timerwheel.Timer{10, 1 << 20, math.MaxUint32, math.MaxUint32 - 500} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s(%d) does not panic", name, timer)
					}
				}()
				f(timer)
			}()
		}
	}
	if err := w.Check(); err != nil || w.Len() != 0 {
		t.Errorf("after the panics: %d timers, Check: %v", w.Len(), err)
	}
}

func TestDivision(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		d := 100_000 + rng.Int64N(1_000_000_000-100_000+1)
		switch rng.IntN(4) {
		case 0:
			d = 1 << (17 + rng.IntN(13))
		case 1:
			d = 1<<(17+rng.IntN(13)) + 1
		case 2:
			d = 100_000
		}
		w := newWheel(t, 1, time.Duration(d), 0)
		for range 200 {
			x := rng.Uint64() >> rng.IntN(64)
			multiple := x - x%uint64(d)
			for _, x := range []uint64{x, multiple, multiple - 1, multiple + 1, math.MaxInt64, math.MaxUint64} {
				if got := w.Divide(x); got != x/uint64(d) {
					t.Fatalf("%d / %d = %d, want %d", x, d, got, x/uint64(d))
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	w := newWheel(t, 1000, time.Millisecond, 0)
	now := int64(0)
	w.AddEvery(999, 0, ms)
	for name, f := range map[string]func(){
		"add, cancel":   func() { w.Add(1, now+50*ms); w.Cancel(1) },
		"extend":        func() { w.Extend(2, now+500*ms) },
		"every, cancel": func() { _ = w.AddEvery(3, now+5*ms, 20*ms); w.Cancel(3) },
		"a tick": func() {
			now += ms
			w.Add(timerwheel.Timer(now/ms%900), now+now%7919*ms)
			w.Advance(now)
			for _, ok := w.Expired(); ok; _, ok = w.Expired() {
			}
			w.Next()
		},
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
