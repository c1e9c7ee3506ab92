package drivertest

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// long makes the stress of case 40 last 30 s instead of 200 ms: set the
// environment variable STATOR_STRESS to 1.
var long = os.Getenv("STATOR_STRESS") == "1"

var waking = []aCase{
	{36, "a wake before the wait", levelOnly, func(e *env) {
		w, err := e.NewWaker(9)
		e.must(err)
		for range 3 {
			e.must(w.Wake())
			e.await(9, poll.Readable)
			e.silentFor(time.Millisecond)
		}
		e.must(w.Wake())
		if n := e.look(0); n != 1 {
			e.Fatalf("%d events: want the waker's, without waiting", n)
		}
	}},
	{37, "a wake during the wait", levelOnly, func(e *env) {
		w, err := e.NewWaker(9)
		e.must(err)
		for range 3 {
			e.must(e.After(time.Millisecond, func() { w.Wake() }))
			if n := e.look(-1); n != 1 {
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
		var said atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 500 {
					said.Add(1)
					if err := w.Wake(); err != nil {
						e.Error(err)
					}
				}
			})
		}
		for said.Load() < 1000 {
			e.await(9, poll.Readable)
		}
		wg.Wait()
		e.sleep(time.Millisecond)
		e.forget()
		e.must(w.Wake())
		e.await(9, poll.Readable)
		e.silent()
	}},
	{40, "a wake between the last look and the sleep is not lost", levelOnly, func(e *env) {
		e.must(e.Goroutines())
		w, err := e.NewWaker(9)
		e.must(err)
		end := e.Now() + 200*time.Millisecond
		if long {
			end = e.Now() + 30*time.Second
		}
		// Each of two goroutines wakes once for each turn it is given. The turn
		// comes when its last wake was heard, just before the next look, and a
		// pause of a length that varies lets the wake meet each point of the wait.
		// A wake lost is a turn never given: the wait then ends by its patience.
		turns := make(chan int, 2)
		var said, heard atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for pause := range turns {
					for range pause {
						heard.Load()
					}
					said.Add(1)
					if err := w.Wake(); err != nil {
						e.Error(err)
					}
				}
			})
		}
		defer wg.Wait()
		defer close(turns)
		for due, round := int64(2), 0; e.Now() < end; round++ {
			for range due {
				turns <- round * 7 % 1009
			}
			e.await(9, poll.Readable)
			due = said.Load() - heard.Load()
			heard.Add(due)
		}
	}},
}
