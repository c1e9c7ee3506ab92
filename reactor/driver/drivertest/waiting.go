package drivertest

import (
	"math"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

var waiting = []testCase{
	{1, "an empty wait times out, never early", levelOnly, func(e *env) {
		for _, d := range []time.Duration{time.Millisecond, 1700 * time.Microsecond, 2 * time.Millisecond, 13 * time.Millisecond} {
			e.timesOut(d)
		}
	}},
	{2, "zero timeout still collects", both, func(e *env) {
		a, b := e.pair()
		e.watch(a, 1, poll.Readable)
		if n := e.wait(0); n != 0 {
			e.Fatalf("%d events: want 0", n)
		}
		e.write(b, "x")
		for end := e.Now() + timeout; e.wait(0) == 0; {
			if e.Now() > end {
				e.Fatal("no event")
			}
		}
		if e.came[1]&poll.Readable == 0 || len(e.came) != 1 {
			e.Fatalf("events %v: want readable", e.came)
		}
	}},
	{3, "short timeouts round up, huge ones do not overflow", levelOnly, func(e *env) {
		for _, d := range []time.Duration{1, 999, time.Microsecond, 10 * time.Microsecond, 999 * time.Microsecond} {
			e.timesOut(d)
		}
		w, err := e.NewWaker(7)
		e.must(err)
		for _, d := range []time.Duration{-1, math.MinInt64, math.MaxInt64, math.MaxInt64 - 1,
			1<<31*time.Second + 1, 1 << 32 * time.Millisecond, 1 << 31 * time.Microsecond} {
			e.must(e.After(time.Millisecond, func() { w.Wake() }))
			if n := e.wait(d); n != 1 || e.came[7] == 0 {
				e.Fatalf("timeout %v: %d events, %v: want that of the waker", d, n, e.came)
			}
			e.forget()
		}
	}},
	{4, "an interrupted wait continues until its timeout", levelOnly, func(e *env) {
		e.must(e.Interrupt())
		for i := 1; i <= 4; i++ {
			e.must(e.After(time.Duration(i)*5*time.Millisecond, func() { e.Interrupt() }))
		}
		e.timesOut(40 * time.Millisecond)
	}},
	{5, "an event buffer of one delivers everything, fairly", both, func(e *env) {
		const files, rounds = 8, 4
		var readers [files]File
		for i := range files {
			a, b := e.pair()
			readers[i] = a
			e.watch(a, poll.Token(i+1), poll.Readable)
			e.write(b, "some")
		}
		w, err := e.NewWaker(files + 1)
		e.must(err)
		e.must(w.Wake())
		var one [1]poll.Event
		seen := make(map[poll.Token]int)
		for range rounds * (files + 1) {
			n, err := e.Wait(one[:], 10*quiet)
			e.must(err)
			if n == 0 {
				break
			}
			seen[one[0].Token]++
			if i := int(one[0].Token) - 1; i < files && e.mode == edge {
				e.drain(readers[i])
			}
		}
		for i := range files + 1 {
			t, want := poll.Token(i+1), rounds-1
			if e.mode == edge || i == files {
				want = 1
			}
			if seen[t] < want {
				e.Fatalf("events by token %v: want each %d times or more", seen, want)
			}
		}
	}},
}

// timesOut waits for d when no event can come. The wait may be late, but not early.
func (e *env) timesOut(d time.Duration) {
	e.Helper()
	begin := e.Now()
	n := e.wait(d)
	if took := e.Now() - begin; n != 0 || took < d || took > d+timeout {
		e.Fatalf("%d events after %v: want 0 after %v", n, took, d)
	}
}
