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

// expect advances the clock and compares what comes, in order.
func expect(t *testing.T, w *timerwheel.Wheel, now int64, want ...timerwheel.Timer) {
	t.Helper()
	w.Advance(now)
	if got := drain(w); !slices.Equal(got, want) {
		t.Errorf("at %d came %v, want %v", now, got, want)
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
	const start = 12345 // ticks count from New, not from 0
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

// A handler that arms its timer for now, whenever it is called, must not keep
// the loop over Expired for ever.
func TestRearmedForNowEnds(t *testing.T) {
	w := newWheel(t, 1, time.Millisecond, 0)
	w.Add(0, 0)
	for tick := range int64(100) {
		now := (tick + 1) * ms
		w.Advance(now)
		came := 0
		for timer, ok := w.Expired(); ok; timer, ok = w.Expired() {
			if came++; came > 1 {
				t.Fatal("the loop over Expired does not end")
			}
			w.Add(timer, now)
		}
		if came != 1 {
			t.Fatalf("came %d times at tick %d", came, tick)
		}
	}
}

func TestDueTimersCanBeCancelledAndMoved(t *testing.T) {
	w := newWheel(t, 8, time.Millisecond, 0)
	for i := range timerwheel.Timer(6) {
		w.Add(i, int64(i)*ms)
	}
	w.Advance(50 * ms)
	if first, ok := w.Expired(); !ok || first > 1 { // 0 was past, so both are of the first tick
		t.Fatalf("Expired = %d, %v", first, ok)
	}
	if !w.Armed(3) || !w.Cancel(3) || w.Armed(3) || w.Cancel(3) {
		t.Error("a due timer can't be cancelled once")
	}
	w.Add(4, 60*ms)
	w.Extend(5, 70*ms)
	if w.Len() != 4 {
		t.Errorf("Len = %d, want 4", w.Len())
	}
	if got := drain(w); len(got) != 2 || got[1] != 2 {
		t.Errorf("came %v, want the other of 0 and 1, and 2", got)
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
	w.Extend(0, 10*ms) // arms
	for i := range int64(1000) {
		w.Extend(0, (10+i)*ms)
		w.Advance(i * ms)
	}
	if when, ok := w.When(0); !ok || when != 1009*ms {
		t.Errorf("When = %d, %v", when, ok)
	}
	w.Extend(0, 1005*ms) // earlier again: moved
	expect(t, w, 1005*ms-1)
	expect(t, w, 1005*ms, 0)
	if w.Armed(0) || w.Len() != 0 {
		t.Error("still armed")
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
	expect(t, w, 57*ms, 0) // 23 to 53, once
	if when, _ := w.When(0); when != 63*ms {
		t.Errorf("When = %d, want the phase kept, %d", when, 63*ms)
	}
	expect(t, w, 63*ms, 0)

	w.Advance(73 * ms)
	if !w.Cancel(0) { // due
		t.Error("a due periodic timer can't be cancelled")
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
			t.Errorf("period %d was taken", period)
		}
	}
	want := "timerwheel: period 999.999µs: want the resolution, 1ms, or more"
	if err := w.AddEvery(0, ms, ms-1); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if when, ok := w.When(0); !ok || when != 5*ms {
		t.Errorf("the timer has become %d, %v", when, ok)
	}
}

// Each power of two, with neighbours, on both sides of every level's reach and
// of the last one's.
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
		came, now := 0, start
		for came < len(deadlines) {
			next, ok := w.Next()
			if !ok || next <= now {
				t.Fatalf("Next = %d, %v at %d", next, ok, now)
			}
			now = next
			w.Advance(now)
			for _, timer := range drain(w) {
				late := uint64(now) - uint64(deadlines[timer])
				if now < deadlines[timer] || late >= uint64(100*time.Microsecond) {
					t.Fatalf("timer of %d came at %d", deadlines[timer], now)
				}
				came++
			}
			if err := w.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if w.Len() != 1 {
			t.Errorf("%d timers left, want the one at the end of time", w.Len())
		}
	}
}

// Jumps are quick however many ticks they pass: ten thousand days of ticks of
// 100 µs would take hours one by one.
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
		t.Errorf("near the end of time came %v, %d left", got, w.Len())
	}
}

// A periodic timer ends with the clock instead of coming round to the past.
func TestPeriodicAtTheEndOfTime(t *testing.T) {
	w := newWheel(t, 1, time.Second, math.MaxInt64-int64(10*time.Second))
	w.AddEvery(0, math.MaxInt64-int64(5*time.Second), int64(time.Minute))
	expect(t, w, math.MaxInt64, 0)
	if w.Len() != 0 {
		when, _ := w.When(0)
		t.Errorf("armed for %d", when)
	}
}

func TestClockNeverRunsBackward(t *testing.T) {
	w := newWheel(t, 1, time.Millisecond, 0)
	w.Advance(100 * ms)
	w.Advance(-5)
	w.Advance(50 * ms)
	w.Add(0, 101*ms)
	if next, _ := w.Next(); next != 101*ms {
		t.Errorf("Next = %d", next)
	}
	expect(t, w, 101*ms, 0)
}

// A timer far away costs a caller that follows Next a call for each level.
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
			t.Errorf("%d calls to reach %d", calls, when-start)
		}
	}
}

// One Advance, as far as the caller follows Next, moves no crowded bucket at
// once, even when all deadlines lie together and nothing else is to do.
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
		t.Errorf("one call moved %d timers, want at most some %d", most, timerwheel.Batch)
	}
	if w.Len() == 0 || calls > 20_000 {
		t.Errorf("%d calls, %d timers left", calls, w.Len())
	}
}

// A crowded bucket is visited in steps; the last one must not lead past its
// beginning. The earliest deadlines are filed last, and so go down last.
func TestNextIsNotLateForCrowds(t *testing.T) {
	for _, c := range []struct{ timers, begin, length int64 }{
		{300, 128, 1}, {300, 128, 64}, {5000, 128, 64}, {300, 3 * 4096, 1}, {5000, 3 * 4096, 70},
	} {
		w := newWheel(t, int(c.timers), time.Millisecond, 0)
		deadline := func(i int64) int64 { return (c.begin + (c.timers-1-i)*c.length/c.timers) * ms }
		for i := range c.timers {
			w.Add(timerwheel.Timer(i), deadline(i))
		}
		for came := int64(0); came < c.timers; {
			now, _ := w.Next()
			w.Advance(now)
			for _, timer := range drain(w) {
				if when := deadline(int64(timer)); when != now {
					t.Fatalf("of %d timers from tick %d one of %d came at %d", c.timers, c.begin, when, now)
				}
				came++
			}
		}
	}
}

// From the first instant to the last one are 2^64 ns, and so is a bucket here.
func TestNextDoesNotComeRound(t *testing.T) {
	w := newWheel(t, 1, 1<<29, math.MinInt64)
	w.Add(0, math.MaxInt64)
	if next, ok := w.Next(); !ok || next != math.MaxInt64 {
		t.Errorf("Next = %d, %v; want the end of time", next, ok)
	}
}

// The same, tick by tick: a bucket of level 2 holds a thousand timers of these,
// to be moved in the 4096 ticks before it begins.
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
		t.Errorf("one tick moved %d timers down from level 2, %d left at the end", most, w.Len())
	}
}

func TestZeroWheel(t *testing.T) {
	var w timerwheel.Wheel
	w.Advance(math.MaxInt64)
	if _, ok := w.Expired(); ok || w.Len() != 0 {
		t.Error("the zero wheel has timers")
	}
	if _, ok := w.Next(); ok {
		t.Error("the zero wheel has something to come")
	}
}

func TestForeignTimersPanic(t *testing.T) {
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
		t.Errorf("a refused timer left a trace: %v", err)
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
