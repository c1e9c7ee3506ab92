package timerwheel_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/timerwheel"
)

// population is the number of other timers, in the wheel or in the runtime's heap,
// beside the one that a benchmark moves.
const population = 8192

func crowded(b *testing.B) *timerwheel.Wheel {
	w := newWheel(b, population+1, time.Millisecond, 0)
	for t := range timerwheel.Timer(population) {
		w.Add(t, int64(time.Hour)+int64(t)*int64(time.Millisecond))
	}
	return w
}

func crowd(b *testing.B) {
	timers := make([]*time.Timer, population)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour+time.Duration(i)*time.Millisecond, func() {})
	}
	b.Cleanup(func() {
		for _, t := range timers {
			t.Stop()
		}
	})
}

func BenchmarkAddCancel(b *testing.B) {
	w := crowded(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		w.Add(population, int64(30*time.Second))
		w.Cancel(population)
	}
}

func BenchmarkAfterFuncStop(b *testing.B) {
	crowd(b)
	f := func() {}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		time.AfterFunc(30*time.Second, f).Stop()
	}
}

// BenchmarkExtend pushes back the deadlines of all timers in turn, as events on as
// many connections do.
func BenchmarkExtend(b *testing.B) {
	w := crowded(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		w.Extend(timerwheel.Timer(i%population), int64(2*time.Hour)+int64(i))
	}
}

func BenchmarkTimerReset(b *testing.B) {
	timers := make([]*time.Timer, population)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour+time.Duration(i)*time.Millisecond, func() {})
		defer timers[i].Stop()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		timers[i%population].Reset(2*time.Hour + time.Duration(i))
	}
}

// BenchmarkAdvance1M runs a million timers, spread over a minute at random, for one
// minute, and arms each again when it expires. An operation is the minute; a tick is
// one Advance and all calls of Expired.
func BenchmarkAdvance1M(b *testing.B) {
	const (
		timers = 1_000_000
		tick   = time.Millisecond
		minute = time.Minute
		ticks  = int(minute / tick)
	)
	w := newWheel(b, timers, tick, 0)
	deadlines := make([]int64, timers)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, i := range rng.Perm(timers) {
		deadlines[i] = 1 + rng.Int64N(int64(minute))
		w.Add(timerwheel.Timer(i), deadlines[i])
	}
	var times []time.Duration
	now, minutes, expired := int64(0), 0, 0
	for b.Loop() {
		minutes++
		for range ticks {
			now += int64(tick)
			start := time.Now()
			w.Advance(now)
			for t, ok := w.Expired(); ok; t, ok = w.Expired() {
				if late := now - deadlines[t]; late < 0 || late >= int64(tick) {
					b.Fatalf("timer %d is %v late", t, time.Duration(late))
				}
				deadlines[t] += int64(minute)
				w.Add(t, deadlines[t])
				expired++
			}
			times = append(times, time.Since(start))
		}
	}
	if expired != minutes*timers {
		b.Fatalf("%d timers expired in %d minutes, want %d", expired, minutes, minutes*timers)
	}
	slices.Sort(times)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(len(times)), "ns/tick")
	b.ReportMetric(float64(times[len(times)/2]), "p50-ns")
	b.ReportMetric(float64(times[len(times)-1-len(times)/1000]), "p999-ns")
	b.ReportMetric(float64(times[len(times)-1]), "max-ns")
}
