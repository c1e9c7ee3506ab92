package timerwheel_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stator-go/stator/timerwheel"
)

// deadline is a timer of the model.
type deadline struct {
	when, period int64
	tick         uint64 // at which it must expire
}

// model applies each operation to a wheel and to a map of deadlines, and compares
// all results. It finds a timer that expires early, late, never or out of order.
type model struct {
	t          testing.TB
	w          *timerwheel.Wheel
	capacity   int
	resolution int64
	start      int64
	tick       uint64
	armed      map[timerwheel.Timer]deadline
	popped     int
}

func newModel(t testing.TB, capacity int, resolution time.Duration, now int64) *model {
	return &model{
		t: t, w: newWheel(t, capacity, resolution, now), capacity: capacity,
		resolution: int64(resolution), start: now, armed: make(map[timerwheel.Timer]deadline),
	}
}

func newWheel(t testing.TB, capacity int, resolution time.Duration, now int64) *timerwheel.Wheel {
	t.Helper()
	w, err := timerwheel.New(capacity, resolution, now)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// clock returns the clock, rounded down to its tick.
func (m *model) clock() int64 { return m.timeOf(m.tick) }

func (m *model) timeOf(tick uint64) int64 {
	if tick > (uint64(math.MaxInt64)-uint64(m.start))/uint64(m.resolution) {
		return math.MaxInt64
	}
	return int64(uint64(m.start) + tick*uint64(m.resolution))
}

// dueTick rounds a deadline up to its tick. A deadline in the past is due at the
// next tick.
func (m *model) dueTick(when int64) uint64 {
	tick := uint64(0)
	if when > m.start {
		tick = (uint64(when)-uint64(m.start)-1)/uint64(m.resolution) + 1
	}
	return max(tick, m.tick+1)
}

func (m *model) add(t timerwheel.Timer, when int64) {
	m.w.Add(t, when)
	m.armed[t] = deadline{when: when, tick: m.dueTick(when)}
}

func (m *model) addEvery(t timerwheel.Timer, when, period int64) {
	err := m.w.AddEvery(t, when, period)
	if (err != nil) != (period < m.resolution) {
		m.t.Fatalf("AddEvery with period %d of %d = %v", period, m.resolution, err)
	}
	if err == nil {
		m.armed[t] = deadline{when: when, period: period, tick: m.dueTick(when)}
	}
}

func (m *model) extend(t timerwheel.Timer, when int64) {
	m.w.Extend(t, when)
	m.armed[t] = deadline{when: when, period: m.armed[t].period, tick: m.dueTick(when)}
}

func (m *model) cancel(t timerwheel.Timer) {
	_, was := m.armed[t]
	if m.w.Cancel(t) != was {
		m.t.Fatalf("Cancel(%d) = %v, want %v", t, !was, was)
	}
	delete(m.armed, t)
}

func (m *model) checkTimer(t timerwheel.Timer) {
	d, want := m.armed[t]
	if when, ok := m.w.When(t); ok != want || when != d.when || m.w.Armed(t) != want {
		m.t.Fatalf("When(%d) = %d, %v; want %d, %v", t, when, ok, d.when, want)
	}
}

// earliest returns the first tick at which a timer is due.
func (m *model) earliest() (tick uint64, ok bool) {
	tick = math.MaxUint64
	for _, d := range m.armed {
		tick = min(tick, d.tick)
	}
	return tick, len(m.armed) > 0
}

func (m *model) checkNext() {
	tick, want := m.earliest()
	when, ok := m.w.Next()
	switch {
	case ok != want:
		m.t.Fatalf("Next = %v with %d timers armed", ok, len(m.armed))
	case !ok:
	case tick > m.tick && when > m.timeOf(tick):
		m.t.Fatalf("Next = %d, want at most the tick of a timer, %d", when, m.timeOf(tick))
	case tick > m.tick && when <= m.clock():
		m.t.Fatalf("Next = %d with no timer due, want later than the clock, %d", when, m.clock())
	case tick <= m.tick && when > m.clock():
		m.t.Fatalf("Next = %d with a timer due, want at most the clock, %d", when, m.clock())
	}
}

func (m *model) advance(now int64) {
	m.w.Advance(now)
	if now > m.start {
		m.tick = max(m.tick, (uint64(now)-uint64(m.start))/uint64(m.resolution))
	}
}

// pop calls Expired once.
func (m *model) pop() (timerwheel.Timer, bool) {
	tick, _ := m.earliest()
	want := tick <= m.tick // tick is the largest number if no timer is armed
	t, ok := m.w.Expired()
	if ok != want {
		m.t.Fatalf("Expired = %v at tick %d, want %v for a timer at tick %d", ok, m.tick, want, tick)
	}
	if !ok {
		return 0, false
	}
	d, armed := m.armed[t]
	switch {
	case !armed:
		m.t.Fatalf("Expired returned timer %d, which is not armed", t)
	case d.when > m.clock():
		m.t.Fatalf("timer %d expired at %d, before its deadline %d", t, m.clock(), d.when)
	case d.tick != tick:
		m.t.Fatalf("timer %d of tick %d expired before one of tick %d", t, d.tick, tick)
	}
	m.popped++
	delete(m.armed, t)
	if d.period != 0 {
		for d.when <= m.clock() { // skip one period at a time, after one large step
			missed := (uint64(m.clock()) - uint64(d.when)) / uint64(d.period)
			d.when += int64(missed * uint64(d.period))
			if d.when > math.MaxInt64-d.period {
				return t, true
			}
			d.when += d.period
		}
		m.armed[t] = deadline{when: d.when, period: d.period, tick: m.dueTick(d.when)}
	}
	return t, true
}

// drain calls Expired until no timer is due, and arms, moves and cancels timers in
// between, as handlers do.
func (m *model) drain(rng *rand.Rand) {
	for {
		t, ok := m.pop()
		if !ok {
			return
		}
		switch other := m.timer(rng); rng.IntN(8) {
		case 0:
			m.add(t, m.clock()+rng.Int64N(100)*m.resolution/4)
		case 1:
			m.cancel(other)
		case 2:
			m.extend(other, m.clock()+rng.Int64N(100)*m.resolution/4)
		case 3:
			m.add(other, m.clock()-rng.Int64N(100))
		}
		m.checkNext()
	}
}

func (m *model) timer(rng *rand.Rand) timerwheel.Timer {
	return timerwheel.Timer(rng.IntN(m.capacity))
}

func (m *model) check() {
	m.t.Helper()
	m.checkNext()
	if m.w.Len() != len(m.armed) {
		m.t.Fatalf("Len = %d, want %d", m.w.Len(), len(m.armed))
	}
	for t := range timerwheel.Timer(m.capacity) {
		m.checkTimer(t)
	}
	if err := m.w.Check(); err != nil {
		m.t.Fatalf("at tick %d: %v", m.tick, err)
	}
}

// span returns a random duration below 2^maxBits; each magnitude is equally likely.
func span(rng *rand.Rand, maxBits int) int64 { return rng.Int64() >> (63 - rng.IntN(maxBits)) }

func TestModel(t *testing.T) {
	for _, c := range []struct {
		name     string
		capacity int
		step     int // steps of the clock are below 2^step nanoseconds
		reach    int // deadlines are below 2^reach nanoseconds ahead
		start    int64

		resolutions int // how many of the resolutions to use: 1 s is too coarse for some cases
	}{
		{"near", 50, 22, 27, 0, 3},
		{"middle", 200, 27, 33, 1 << 40, 3},
		{"far", 50, 40, 50, -1 << 50, 4},
		{"jumps", 100, 52, 52, 12345, 4},
		{"ends of time", 20, 58, 58, math.MinInt64, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			popped := 0
			for seed := range uint64(6) {
				rng := rand.New(rand.NewPCG(seed, uint64(c.reach)))
				resolution := []time.Duration{100 * time.Microsecond, time.Millisecond, 1<<20 + 7, time.Second}[rng.IntN(c.resolutions)]
				m := newModel(t, c.capacity, resolution, c.start)
				now := c.start
				for step := range 6000 {
					m.step(rng, &now, c.step, c.reach)
					if step%100 == 0 {
						m.check()
					}
				}
				popped += m.popped
			}
			if popped < 500 {
				t.Errorf("only %d timers expired, want 500 or more", popped)
			}
		})
	}
}

// step performs one random operation.
func (m *model) step(rng *rand.Rand, now *int64, step, reach int) {
	later := func(d int64) int64 { // without overflow
		if d > 0 && *now > math.MaxInt64-d {
			return math.MaxInt64
		}
		return *now + d
	}
	switch n := rng.IntN(100); {
	case n < 20:
		m.add(m.timer(rng), later(span(rng, reach)))
	case n < 25:
		m.addEvery(m.timer(rng), later(span(rng, reach)), span(rng, reach))
	case n < 45:
		t := m.timer(rng)
		when, _ := m.w.When(t)
		if d := span(rng, reach); when <= math.MaxInt64-d {
			m.extend(t, when+d)
		}
	case n < 50:
		m.extend(m.timer(rng), later(span(rng, reach)))
	case n < 60:
		m.cancel(m.timer(rng))
	case n < 61:
		m.add(m.timer(rng), int64(rng.Uint64()))
	case n < 62:
		m.add(m.timer(rng), math.MaxInt64)
	case n < 70:
		m.checkTimer(m.timer(rng))
		m.checkNext()
	case n < 72:
		m.advance(*now - span(rng, step)) // backward
	case n < 80: // as a loop does
		if when, ok := m.w.Next(); ok && when < later(1<<step) {
			*now = max(*now, when)
			m.advance(*now)
			m.drain(rng)
		}
	case n < 90:
		*now = later(span(rng, step))
		m.advance(*now)
	case n < 95:
		m.pop()
	default:
		m.drain(rng)
	}
}

// FuzzWheel runs its input as a program. An instruction has four bytes: an
// operation, a timer, and a time that is the third byte shifted left by the fourth.
func FuzzWheel(f *testing.F) {
	f.Add([]byte{0, 1, 9, 20, 5, 0, 9, 20, 6, 0, 0, 0})
	f.Add([]byte{2, 1, 200, 40, 1, 1, 255, 41, 5, 0, 255, 41, 6, 0, 0, 0})
	f.Add(binary.LittleEndian.AppendUint64([]byte{1, 2, 3, 62, 4, 2, 0, 0}, 0x3e_01_00_05_17_09_01_03))
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newModel(t, 8, time.Millisecond, 0)
		rng := rand.New(rand.NewPCG(1, 1))
		now := int64(0)
		for ; len(program) >= 4; program = program[4:] {
			timer := timerwheel.Timer(program[1] % 8)
			d := int64(program[2]) << (program[3] % 54) // below 2^62
			switch program[0] % 8 {
			case 0:
				m.add(timer, now+d)
			case 1:
				m.extend(timer, now+d)
			case 2:
				m.addEvery(timer, now+d, d)
			case 3:
				m.cancel(timer)
			case 4:
				m.add(timer, now-d)
			case 5:
				now += min(d, 1<<61-now)
				m.advance(now)
			case 6:
				m.drain(rng)
			case 7:
				m.pop()
			}
			m.checkNext()
		}
		m.check()
	})
}
