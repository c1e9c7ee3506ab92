package timerwheel_test

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/slab"
	"github.com/stator-go/stator/timerwheel"
)

// Two deadlines on a simulated clock.
func Example() {
	w, err := timerwheel.New(16, time.Millisecond, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	w.Add(3, int64(20*time.Millisecond))
	w.Add(5, int64(10*time.Millisecond))

	for w.Len() > 0 {
		now, _ := w.Next() // a real loop waits until then, or for another event
		w.Advance(now)
		for t, ok := w.Expired(); ok; t, ok = w.Expired() {
			fmt.Println("timer", t, "at", time.Duration(now))
		}
	}
	// Output:
	// timer 5 at 10ms
	// timer 3 at 20ms
}

// An idle deadline that each event pushes back. It expires when the events stop.
func ExampleWheel_Extend() {
	const idle = int64(30 * time.Second)
	w, _ := timerwheel.New(16, time.Millisecond, 0)
	now := int64(0)
	for range 5 { // an event every 20 seconds
		w.Extend(0, now+idle)
		now += int64(20 * time.Second)
		w.Advance(now)
		_, expired := w.Expired()
		fmt.Println(time.Duration(now), expired)
	}
	w.Advance(now + idle)
	_, expired := w.Expired()
	fmt.Println(time.Duration(now+idle), expired)
	// Output:
	// 20s false
	// 40s false
	// 1m0s false
	// 1m20s false
	// 1m40s false
	// 2m10s true
}

// If the clock passes several periods at once, the timer expires once, and its next
// time is the one that it would have had anyway.
func ExampleWheel_AddEvery() {
	w, _ := timerwheel.New(16, time.Millisecond, 0)
	w.AddEvery(0, int64(5*time.Millisecond), int64(10*time.Millisecond))
	for _, now := range []time.Duration{5, 15, 47, 55} { // the third is late
		w.Advance(int64(now * time.Millisecond))
		_, expired := w.Expired()
		next, _ := w.When(0)
		fmt.Println(expired, "next", time.Duration(next))
	}
	// Output:
	// true next 15ms
	// true next 25ms
	// true next 55ms
	// true next 65ms
}

// alarms names its alarms by slab tokens, which stop working when the alarm is
// stopped or has rung. The slab's slot numbers are the wheel's timers, so no table
// is needed to get from one to the other.
type alarms struct {
	names *slab.Slab[string]
	wheel *timerwheel.Wheel
}

func (a *alarms) set(when time.Duration, name string) (slab.Token, error) {
	token, v, err := a.names.Insert()
	if err != nil {
		return 0, err
	}
	*v = name
	a.wheel.Add(timerwheel.Timer(token.Index()), int64(when))
	return token, nil
}

func (a *alarms) stop(token slab.Token) bool {
	return a.names.Remove(token) && a.wheel.Cancel(timerwheel.Timer(token.Index()))
}

func (a *alarms) ring(now time.Duration) {
	a.wheel.Advance(int64(now))
	for t, ok := a.wheel.Expired(); ok; t, ok = a.wheel.Expired() {
		fmt.Println(now, *a.names.At(uint32(t)))
		a.names.Remove(a.names.TokenAt(uint32(t)))
	}
}

// Handles that stop working when their timer has expired: a wheel and a slab.
func Example_handles() {
	const capacity = 100
	var a alarms
	a.names, _ = slab.New[string](0, capacity)
	a.wheel, _ = timerwheel.New(capacity, time.Millisecond, 0)

	tea, _ := a.set(4*time.Minute, "tea")
	eggs, _ := a.set(7*time.Minute, "eggs")
	a.ring(4 * time.Minute)
	a.set(10*time.Minute, "bread") // reuses the slot of tea
	fmt.Println("stop tea:", a.stop(tea))
	fmt.Println("stop eggs:", a.stop(eggs))
	a.ring(time.Hour)
	// Output:
	// 4m0s tea
	// stop tea: false
	// stop eggs: true
	// 1h0m0s bread
}
