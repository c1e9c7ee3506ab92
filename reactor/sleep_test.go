package reactor_test

import (
	"runtime"
	"slices"
	"sync/atomic"
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
// Other programs on the machine make sleeps late as well. So where they are late, they
// are taken at once beside a plain goroutine that yields every 100 µs, too, with the
// loop at rest: a busy machine spoils both, a loop that does not yield only its own.
func TestSleepBesideABusyLoop(t *testing.T) {
	const rounds, sleeps = 24, 200 // other programs are busy for seconds
	l := system(t, reactor.Config{})
	var rest atomic.Bool
	k := kind(t, "busy", reactor.Options{}, reactor.Table[clerk, note]{
		fsm.Any: {OnMessage: func(c *clerk, cx *postCx, n *note) reactor.State {
			if rest.Load() {
				return fsm.Stay
			}
			return cx.Fail(cx.Self().Post(&cx.IO, *n))
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	refs := make([]reactor.Ref[note], 8)
	for i := range refs {
		refs[i] = spawn(t, l, k, clerk{})
	}
	var p99, control time.Duration
	for range rounds {
		rest.Store(false)
		for _, ref := range refs {
			post(t, ref, note{})
		}
		before := stats(t, l)
		p99 = sleepP99(sleeps)
		after := stats(t, l)
		if after.Parks != before.Parks || after.Messages-before.Messages < sleeps {
			t.Fatalf("the loop is not busy: it slept %d times and handled %d messages", after.Parks-before.Parks, after.Messages-before.Messages)
		}
		if p99 < 2*time.Millisecond {
			t.Logf("99 of 100 sleeps of 1 ms took less than %v", p99)
			return
		}
		rest.Store(true)
		control = besideYielding(func() time.Duration { return sleepP99(sleeps) })
		t.Logf("%v; beside a goroutine that yields: %v", p99, control)
		if p99 < 2*control && control > 3*time.Millisecond/2 {
			return // the machine is busy
		}
	}
	t.Errorf("99 of 100 sleeps of 1 ms took up to %v in the last of %d rounds, and %v beside a goroutine that yields: want less than 2 ms, or twice that", p99, rounds, control)
}

// sleepP99 is how long 99 of 100 sleeps of a millisecond take at the most.
func sleepP99(sleeps int) time.Duration {
	took := make([]time.Duration, sleeps)
	for i := range took {
		start := time.Now()
		time.Sleep(time.Millisecond)
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[sleeps*99/100]
}

// besideYielding measures beside a goroutine that is busy and yields every 100 µs.
func besideYielding(measure func() time.Duration) time.Duration {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for start := time.Now(); time.Since(start) < 100*time.Microsecond; {
			}
			runtime.Gosched()
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	return measure()
}
