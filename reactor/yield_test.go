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

// A loop that never runs out of work lets other goroutines run. With one processor, a
// goroutine beside it sleeps 1 ms again and again, and 99 of 100 sleeps have to take less
// than 2 ms. Beside a loop that does not yield they take 10 ms and more, until the runtime
// preempts it.
//
// Other programs on the machine make sleeps late as well. So if they are late, the test
// measures at once, with the loop at rest, beside a plain goroutine that yields every
// 100 µs. A busy machine makes both late, a loop that does not yield only the first.
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
			t.Fatalf("got %d parks and %d messages, want 0, and %d at least: the loop has to be busy", after.Parks-before.Parks, after.Messages-before.Messages, sleeps)
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
	t.Errorf("99 of 100 sleeps of 1 ms: got up to %v in the last of %d rounds, want less than 2 ms, or than twice the %v beside a goroutine that yields", p99, rounds, control)
}

// sleepP99 returns how long 99 of 100 sleeps of a millisecond take at most.
func sleepP99(sleeps int) time.Duration {
	took := make([]time.Duration, sleeps)
	for i := range took {
		start := time.Now()
		time.Sleep(time.Millisecond) // what is measured
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
