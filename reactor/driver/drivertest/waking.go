package drivertest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor/poll"
)

var waking = []testCase{
	{36, "a wake before the wait", levelOnly, func(e *env) {
		w, err := e.NewWaker(9)
		e.must(err)
		for range 3 {
			e.must(w.Wake())
			e.await(9, poll.Readable)
			e.silentFor(time.Millisecond)
		}
		e.must(w.Wake())
		if n := e.wait(0); n != 1 {
			e.Fatalf("%d events: want that of the waker, without waiting", n)
		}
	}},
	{37, "a wake during the wait", levelOnly, func(e *env) {
		w, err := e.NewWaker(9)
		e.must(err)
		for range 3 {
			e.must(e.After(time.Millisecond, func() { w.Wake() }))
			if n := e.wait(-1); n != 1 {
				e.Fatalf("%d events: want 1", n)
			}
			e.await(9, poll.Readable)
		}
	}},
	{38, "many wakes, one event", levelOnly, func(e *env) {
		v, err := e.NewWaker(8)
		e.must(err)
		w, err := e.NewWaker(9)
		e.must(err)
		for range 3 {
			for range 100 {
				e.must(errors.Join(v.Wake(), w.Wake()))
			}
			e.await(8, poll.Readable)
			e.await(9, poll.Readable)
			e.silentFor(time.Millisecond)
		}
		e.must(w.Close())
		e.fails(w.Wake(), poll.ErrClosed)
		e.must(v.Wake())
		e.await(8, poll.Readable)
	}},
	{39, "wakes from two goroutines", levelOnly, func(e *env) {
		e.must(e.Goroutines())
		w, err := e.NewWaker(9)
		e.must(err)
		var sent atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 500 {
					sent.Add(1)
					if err := w.Wake(); err != nil {
						e.Error(err)
					}
				}
			})
		}
		for sent.Load() < 1000 {
			e.await(9, poll.Readable)
		}
		wg.Wait()
		e.sleep(time.Millisecond)
		e.forget()
		e.must(w.Wake())
		e.await(9, poll.Readable)
		e.silent()
	}},
	{40, "a wake while the wait is about to block is not lost", levelOnly, func(e *env) {
		e.must(e.Goroutines())
		w, err := e.NewWaker(9)
		e.must(err)
		end := e.Now() + testenv.Pick(100*time.Millisecond, 5*time.Second)
		// Two goroutines call Wake once for each number that they receive. This goroutine
		// sends the number after it got the event of the last wake, just before the next
		// Wait. The number is the length of a pause, so that the wakes come at every moment
		// of the Wait. If a wake is lost, no number is sent any more, and the Wait fails by
		// its timeout.
		pauses := make(chan int, 2)
		var sent, received atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for pause := range pauses {
					for range pause {
						received.Load()
					}
					sent.Add(1)
					if err := w.Wake(); err != nil {
						e.Error(err)
					}
				}
			})
		}
		defer wg.Wait()
		defer close(pauses)
		for due, round := int64(2), 0; e.Now() < end; round++ {
			for range due {
				pauses <- round * 7 % 1009
			}
			e.await(9, poll.Readable)
			due = sent.Load() - received.Load()
			received.Add(due)
		}
	}},
}
