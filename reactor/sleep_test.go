package reactor_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A loop that never runs out of work must let others run: with one processor, a
// goroutine beside it sleeps 1 ms again and again, and 99 of 100 sleeps are to take
// less than 2 ms. A loop that does not yield makes them take the 10 ms and more of
// the runtime's preemption.
//
// Other programs on the machine make sleeps late as well. So what counts is the best
// of several rounds: a busy machine spoils some of them, a loop that does not yield
// all of them.
func TestSleepBesideABusyLoop(t *testing.T) {
	const rounds, sleeps = 8, 200
	l := system(t, reactor.Config{})
	k := kind(t, "busy", reactor.Options{}, reactor.Table[clerk, note]{
		fsm.Any: {Message: func(c *clerk, cx *postCx, n *note) reactor.State {
			return cx.Fail(cx.Self().Post(&cx.IO, *n))
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 8 {
		post(t, spawn(t, l, k, clerk{}), note{})
	}
	var best time.Duration
	for round := range rounds {
		before := stats(t, l)
		took := make([]time.Duration, sleeps)
		for i := range took {
			start := time.Now()
			time.Sleep(time.Millisecond)
			took[i] = time.Since(start)
		}
		after := stats(t, l)
		if after.Parks != before.Parks || after.Messages-before.Messages < sleeps {
			t.Fatalf("the loop is not busy: it slept %d times and handled %d messages", after.Parks-before.Parks, after.Messages-before.Messages)
		}
		slices.Sort(took)
		p99 := took[sleeps*99/100]
		if round == 0 || p99 < best {
			best = p99
		}
		if best < 2*time.Millisecond {
			break
		}
	}
	t.Logf("99 of 100 sleeps of 1 ms took less than %v", best)
	if best >= 2*time.Millisecond {
		t.Errorf("99 of 100 sleeps of 1 ms took up to %v in the best of %d rounds, want less than 2 ms", best, rounds)
	}
}
