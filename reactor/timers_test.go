package reactor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

var twoTimers = []reactor.TimerSpec{{Name: "stay"}, {Name: "across", In: fsm.To(1, 2)}, {Name: "many", Many: 3}}

const (
	inStay reactor.Timer = iota
	across
	many
)

// timerKind has three states and three named timers. The messages say what to do.
func timerKind(t testing.TB) *reactor.Kind[clocked, int] {
	return clockKind(t, reactor.Options{Timers: twoTimers}, clockRow{},
		clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never})
}

const arm = -1 // a message: arm the first two timers for 1 s

func armOrGo(c *clocked, cx *clock, what int) reactor.State {
	if what != arm {
		return reactor.State(what)
	}
	if err := errors.Join(cx.Arm(inStay, time.Second), cx.Arm(across, time.Second)); err != nil {
		return cx.Stop(err)
	}
	return fsm.Stay
}

// A timer ends with the state that armed it, unless its In names more states.
func TestTimersLiveInTheirStates(t *testing.T) {
	for _, test := range []struct {
		walk  []int
		fired int
	}{
		{nil, 2},
		{[]int{1}, 2},    // a transition to the state that armed it does not leave it
		{[]int{2}, 1},    // "across" lives on
		{[]int{3}, 0},    // left both
		{[]int{2, 3}, 0}, // left later
		{[]int{2, 1}, 1}, // a timer that ended does not come back
		{[]int{3, 1}, 0},
	} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		ref := spawn(t, l, timerKind(t), clocked{log: log, do: armOrGo})
		tell(d, ref, arm)
		for _, s := range test.walk {
			tell(d, ref, s)
		}
		log.take()
		d.Advance(999 * time.Millisecond)
		log.want(t, "")
		d.Advance(time.Millisecond)
		if n := stats(t, l).Timers; int(n) != test.fired {
			t.Errorf("after states %v: got %d timers fired, want %d: %s", test.walk, n, test.fired, log.take())
		}
		if at, ok := d.SleepsUntil(); ok {
			t.Errorf("after states %v: got a loop that will wake at %v, want never", test.walk, at)
		}
	}
}

func TestTimerIsMovedByArmAndStoppedByDisarm(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, timerKind(t), clocked{log: log, do: func(_ *clocked, cx *clock, ms int) reactor.State {
		if ms == 0 {
			cx.Disarm(inStay)
			return fsm.Stay
		}
		return cx.Fail(cx.Arm(inStay, time.Duration(ms)*time.Millisecond))
	}})
	tell(d, ref, 500)
	tell(d, ref, 800)
	tell(d, ref, 300)
	steps(d, 10, 100*time.Millisecond, nil)
	log.want(t, "1@0s t0.0@300ms")
	tell(d, ref, 300)
	tell(d, ref, 0)
	tell(d, ref, 0) // Disarm of a timer that does not run does nothing
	steps(d, 10, 100*time.Millisecond, nil)
	log.want(t, "")
}

// A timer with Many runs at most so many times at once, each with an ID.
func TestArmIDManyOfAName(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	ref := spawn(t, l, timerKind(t), clocked{log: log, do: func(c *clocked, cx *clock, id int) reactor.State {
		if id < 0 {
			cx.DisarmID(many, uint32(-id))
			return fsm.Stay
		}
		if err := cx.ArmID(many, uint32(id), time.Duration(id)*100*time.Millisecond); err != nil {
			c.log.add(fmt.Sprint(id, errors.Is(err, reactor.ErrFull)))
		}
		return fsm.Stay
	}})
	for _, id := range []int{5, 2, 3, 4, 3, -2, 4, 6} { // 4 and 6 are one too many, 4 is not after -2
		tell(d, ref, id)
	}
	steps(d, 10, 100*time.Millisecond, nil)
	log.want(t, "1@0s 4 true 6 true t2.3@300ms t2.4@400ms t2.5@500ms")
}

func TestTimerThatIsNotDeclared(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{Timers: 1})
	failed := make(chan error, 1)
	ref := spawn(t, l, timerKind(t), clocked{log: &journal{}, do: func(_ *clocked, cx *clock, timer int) reactor.State {
		failed <- cx.ArmID(reactor.Timer(timer), 7, time.Second)
		return fsm.Stay
	}})
	tell(d, ref, 3)
	if err := await(t, "ArmID", failed); err == nil || errors.Is(err, reactor.ErrFull) {
		t.Errorf("ArmID of a timer that is not declared: got %v, want an error other than ErrFull", err)
	}
	tell(d, ref, int(many))
	if err := await(t, "ArmID", failed); err != nil {
		t.Errorf("ArmID of the first timer: got %v, want no error", err)
	}
	tell(d, ref, int(across))
	if err := await(t, "ArmID", failed); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("ArmID beyond Config.Timers: got %v, want ErrFull", err)
	}
}

// Of two timers that are due in the same tick, the handler of the first one can stop the
// other.
func TestDueTimerIsDisarmed(t *testing.T) {
	for name, fire := range map[string]func(*clocked, *clock, reactor.Fired) reactor.State{
		"disarm": func(_ *clocked, cx *clock, f reactor.Fired) reactor.State {
			cx.Disarm(inStay + across - f.Timer)
			return fsm.Stay
		},
		"leave": func(*clocked, *clock, reactor.Fired) reactor.State { return 3 },
		"stop":  func(*clocked, *clock, reactor.Fired) reactor.State { return fsm.Stop },
		"rearm": func(_ *clocked, cx *clock, f reactor.Fired) reactor.State {
			return cx.Fail(cx.Arm(inStay+across-f.Timer, time.Hour))
		},
	} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		ref := spawn(t, l, timerKind(t), clocked{log: log, do: armOrGo, fire: fire})
		tell(d, ref, arm)
		d.Advance(2 * time.Second)
		if n := stats(t, l).Timers; n != 1 {
			t.Errorf("%s: got %d timers fired, want 1: %s", name, n, log.take())
		}
	}
}
