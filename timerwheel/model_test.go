package timerwheel_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stator-go/stator/timerwheel"
)

// deadline is the naive view of a timer. The tick by which it must come is
// kept beside what the caller gave.
type deadline struct {
	when, period int64
	tick         uint64
}

// model runs a wheel beside a map of deadlines, and compares all that can be
// seen of the two. Since it knows each timer's tick, it catches a timer that is
// early, late, lost or out of order.
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

// dueTick rounds up, and puts off what is past to the next tick.
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

func (m *model) look(t timerwheel.Timer) {
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

func (m *model) next() {
	tick, want := m.earliest()
	when, ok := m.w.Next()
	switch {
	case ok != want:
		m.t.Fatalf("Next = %v with %d timers", ok, len(m.armed))
	case !ok:
	case tick > m.tick && when > m.timeOf(tick):
		m.t.Fatalf("Next = %d, later than a timer at %d", when, m.timeOf(tick))
	case tick > m.tick && when <= m.clock():
		m.t.Fatalf("Next = %d is no later than the clock, %d, with nothing due", when, m.clock())
	case tick <= m.tick && when > m.clock():
		m.t.Fatalf("Next = %d is later than the clock, %d, with a timer due", when, m.clock())
	}
}

func (m *model) advance(now int64) {
	m.w.Advance(now)
	if now > m.start {
		m.tick = max(m.tick, (uint64(now)-uint64(m.start))/uint64(m.resolution))
	}
}

// pop takes one due timer, if there is one, and reports it.
func (m *model) pop() (timerwheel.Timer, bool) {
	tick, _ := m.earliest()
	want := tick <= m.tick // with none armed, tick is the largest
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
		m.t.Fatalf("Expired gave timer %d, which is not armed", t)
	case d.when > m.clock():
		m.t.Fatalf("timer %d came at %d, early for %d", t, m.clock(), d.when)
	case d.tick != tick:
		m.t.Fatalf("timer %d of tick %d came before one of tick %d", t, d.tick, tick)
	}
	m.popped++
	delete(m.armed, t)
	if d.period != 0 {
		for d.when <= m.clock() { // the naive way to skip, made to end soon
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

// drain pops all; now and then it does to the timers what handlers do.
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
		m.next()
	}
}

func (m *model) timer(rng *rand.Rand) timerwheel.Timer {
	return timerwheel.Timer(rng.IntN(m.capacity))
}

func (m *model) check() {
	m.t.Helper()
	m.next()
	if m.w.Len() != len(m.armed) {
		m.t.Fatalf("Len = %d, want %d", m.w.Len(), len(m.armed))
	}
	for t := range timerwheel.Timer(m.capacity) {
		m.look(t)
	}
	if err := m.w.Check(); err != nil {
		m.t.Fatalf("at tick %d: %v", m.tick, err)
	}
}

// span draws a duration of any magnitude up to 2^62, small ones as likely as
// large ones.
func span(rng *rand.Rand, most int) int64 { return rng.Int64() >> (63 - rng.IntN(most)) }

func TestModel(t *testing.T) {
	for _, c := range []struct {
		name     string
		capacity int
		step     int // the clock's, in powers of two of nanoseconds
		reach    int // the deadlines'
		start    int64

		resolutions int // how many of those below: a second is too coarse for some
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
				t.Errorf("only %d timers came", popped)
			}
		})
	}
}

// step does one random thing.
func (m *model) step(rng *rand.Rand, now *int64, step, reach int) {
	later := func(d int64) int64 { // without coming round
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
		m.look(m.timer(rng))
		m.next()
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

// FuzzWheel reads its input as a program of four bytes an instruction: what to
// do, with which timer, and a time of 8 bits shifted left by the last byte.
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
			m.next()
		}
		m.check()
	})
}
