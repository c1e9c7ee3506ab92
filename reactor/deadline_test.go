package reactor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// clocked notes, relative to its birth, when it entered a state and when a timer
// fired.
type clocked struct {
	log  *journal
	zero time.Duration
	do   func(c *clocked, cx *clock, what int) reactor.State // on a message
	fire func(c *clocked, cx *clock, f reactor.Fired) reactor.State
	in   func(c *clocked, cx *clock)
}

type clock = reactor.Context[int]

func (c *clocked) born(cx *clock) reactor.State { c.zero = cx.Now(); return fsm.Stay }

func (c *clocked) enter(cx *clock) reactor.State {
	c.log.add(fmt.Sprintf("%d@%v", cx.State(), cx.Now()-c.zero))
	if c.in != nil {
		c.in(c, cx)
	}
	return fsm.Stay
}

func (c *clocked) told(cx *clock, what *int) reactor.State { return c.do(c, cx, *what) }

func (c *clocked) timer(cx *clock, f reactor.Fired) reactor.State {
	c.log.add(fmt.Sprintf("t%d.%d@%v", f.Timer, f.ID, cx.Now()-c.zero))
	if c.fire == nil {
		return fsm.Stay
	}
	return c.fire(c, cx, f)
}

// take reads everything, and answers nothing.
func (c *clocked) take(cx *clock, _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	cx.Discard(0, len(b))
	return cx.Fail(err)
}

// goTo is for do: the message is the state to go to.
func goTo(_ *clocked, _ *clock, what int) reactor.State { return reactor.State(what) }

type clockRow = reactor.Row[clocked, int]

// clockKind adds to the rows what every one of these tests has.
func clockKind(t testing.TB, o reactor.Options, rows ...clockRow) *reactor.Kind[clocked, int] {
	t.Helper()
	rows[0].OnEnter = (*clocked).born
	rows[0].OnMessage = (*clocked).told
	if len(o.Ports) > 0 {
		rows[0].OnReady, rows[0].Wait = (*clocked).take, rows[0].Wait|reactor.Port(0).Readable()
	}
	if len(o.Timers) > 0 {
		rows[0].OnTimer = (*clocked).timer
	}
	for s := 1; s < len(rows); s++ {
		rows[s].Name = fmt.Sprint("state", s)
		rows[s].OnEnter = (*clocked).enter
		for to := 1; to < len(rows); to++ {
			rows[s].To |= fsm.To(reactor.State(to))
		}
	}
	return kind(t, "clocked", o, rows)
}

func tell(d *fake, ref reactor.Ref[int], what int) {
	d.t.Helper()
	if err := ref.Send(what); err != nil {
		d.t.Fatal(err)
	}
	d.settle()
}

func steps(d *fake, n int, by time.Duration, each func()) {
	d.t.Helper()
	for range n {
		d.advance(by)
		if each != nil {
			each()
		}
	}
}

func TestWithinBoundsTheStayHoweverBusy(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, ref := adopt(d, l, k, clocked{log: log, do: goTo})
	steps(d, 19, 100*time.Millisecond, func() { s.sends("x"); tell(d, ref, int(fsm.Stay)) })
	log.want(t, "1@0s 2@1s")
}

func TestNamingAStateStartsWithinAnew(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	ref := spawn(t, l, k, clocked{log: log, do: goTo})
	d.advance(900 * time.Millisecond)
	tell(d, ref, 1)
	steps(d, 12, 100*time.Millisecond, nil)
	log.want(t, "1@0s 1@900ms 2@1.9s")
}

func TestIdleIsRenewedByBytesAndMessages(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Idle: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, ref := adopt(d, l, k, clocked{log: log, do: goTo})
	steps(d, 5, 600*time.Millisecond, func() { s.sends("x") })
	steps(d, 5, 600*time.Millisecond, func() { tell(d, ref, int(fsm.Stay)) })
	steps(d, 15, 100*time.Millisecond, nil)
	log.want(t, "1@0s 2@7s")
}

func TestIdleIsNotRenewedByCalls(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	calls := 0
	k := kind(t, "decliner", reactor.Options{Ports: []string{"peer"}}, reactor.Table[clocked, int]{
		fsm.Any: {OnEnter: (*clocked).born, OnMessage: (*clocked).told},
		1: {Name: "one", OnEnter: (*clocked).enter, Idle: fsm.After(time.Second, 2), Fail: fsm.Stop, Wait: reactor.Port(0).Readable(),
			OnReady: func(*clocked, *clock, reactor.Ready) reactor.State { calls++; return fsm.Stay }},
		2: {Name: "two", OnEnter: (*clocked).enter, Within: fsm.Never, Shutdown: fsm.Stop},
	})
	s, _ := adopt(d, l, k, clocked{log: log})
	steps(d, 15, 100*time.Millisecond, func() { s.sends("x") })
	log.want(t, "1@0s 2@1s")
	if calls < 9 {
		t.Errorf("%d calls", calls)
	}
}

// Readiness without bytes, however often it comes, is silence.
func TestIdleIsNotPutOffByEmptyEvents(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Idle: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, _ := adopt(d, l, k, clocked{log: log, do: goTo})
	for range 15 {
		d.do(func() { d.now += int64(100 * time.Millisecond); s.event(1) })
	}
	log.want(t, "1@0s 2@1s")
}

// A loop that is late must not take for silence what came in time.
func TestIdleOfALateLoop(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Idle: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, _ := adopt(d, l, k, clocked{log: log, do: goTo})
	d.do(func() { d.now += int64(3 * time.Second); s.in = [][]byte{[]byte("x")}; s.event(1) })
	steps(d, 12, 100*time.Millisecond, nil)
	log.want(t, "1@0s 2@4s")
}

func TestStallBoundsOutputThatDoesNotMove(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Within: fsm.Never, Stall: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, ref := adopt(d, l, k, clocked{log: log, do: func(_ *clocked, cx *clock, n int) reactor.State {
		return cx.Fail(cx.Write(0, make([]byte, n)))
	}})
	steps(d, 5, time.Second, nil) // nothing was written: nothing stalls
	tell(d, ref, 100)
	steps(d, 5, time.Second, nil) // the kernel took it: nothing stalls
	d.do(func() { s.room = 0 })
	tell(d, ref, 100)
	steps(d, 9, 100*time.Millisecond, func() { s.sends("input is no output") })
	s.takes(10)
	steps(d, 12, 100*time.Millisecond, func() { s.sends("input is no output") })
	log.want(t, "1@0s 2@11.9s")
}

func TestLifeEndsTheMachineOnce(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{OnEnd: ended.told}, clockRow{Within: fsm.After(5*time.Second, 2)},
		clockRow{Within: fsm.After(2*time.Second, 1)}, clockRow{Within: fsm.After(3*time.Second, fsm.Stop)})
	spawn(t, l, k, clocked{log: log, do: goTo})
	steps(d, 79, 100*time.Millisecond, nil)
	log.want(t, "1@0s 1@2s 1@4s 2@5s")
	ended.none(t)
	d.advance(100 * time.Millisecond)
	if err := ended.next(t); !errors.Is(err, reactor.ErrTimeout) {
		t.Errorf("ended with %v, want ErrTimeout", err)
	}
}

func TestWhyADeadlineLedHere(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	spawn(t, l, k, clocked{log: log, do: goTo, in: func(c *clocked, cx *clock) { c.log.add(fmt.Sprint(cx.Cause())) }})
	d.advance(time.Second)
	log.want(t, "1@0s <nil> 2@1s state \"state1\", within: timed out")
}

func TestContextWithin(t *testing.T) {
	for _, test := range []struct {
		bound, later, sooner string
		within               time.Duration
	}{
		{within: 300 * time.Millisecond, bound: "1@0s 2@300ms"},
		{within: 3 * time.Second, bound: "1@0s 2@3s"},
		{within: 0, bound: "1@0s"},
	} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		k := clockKind(t, reactor.Options{}, clockRow{},
			clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
		spawn(t, l, k, clocked{log: log, do: goTo, in: func(_ *clocked, cx *clock) { cx.Within(test.within) }})
		steps(d, 50, 100*time.Millisecond, nil)
		log.want(t, test.bound) // in state 2, which has no Within, it does nothing
		if at, ok := d.sleepsUntil(); ok {
			t.Errorf("the loop wants to be up at %v, for nothing", at)
		}
	}
}

func TestContextWithinLaterInTheStay(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{}, clockRow{},
		clockRow{Within: fsm.After(time.Hour, 2)}, clockRow{Within: fsm.Never})
	ref := spawn(t, l, k, clocked{log: log, do: func(_ *clocked, cx *clock, ms int) reactor.State {
		cx.Within(time.Duration(ms) * time.Millisecond)
		return fsm.Stay
	}})
	tell(d, ref, 1000)
	tell(d, ref, 500)
	d.advance(400 * time.Millisecond)
	tell(d, ref, 700)
	steps(d, 10, 100*time.Millisecond, nil)
	log.want(t, "1@0s 2@1.1s")
}

var twoTimers = []reactor.TimerSpec{{Name: "stay"}, {Name: "across", In: fsm.To(1, 2)}, {Name: "many", Many: 3}}

const (
	inStay reactor.Timer = iota
	across
	many
)

// timerKind has three states and three named timers; what to do comes as a message.
func timerKind(t testing.TB) *reactor.Kind[clocked, int] {
	return clockKind(t, reactor.Options{Timers: twoTimers}, clockRow{},
		clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never})
}

const arm = -1 // as a message: arm the first two for 1 s

func armOrGo(c *clocked, cx *clock, what int) reactor.State {
	if what != arm {
		return reactor.State(what)
	}
	if err := errors.Join(cx.Arm(inStay, time.Second), cx.Arm(across, time.Second)); err != nil {
		return cx.Stop(err)
	}
	return fsm.Stay
}

func TestTimersLiveInTheirStates(t *testing.T) {
	for _, test := range []struct {
		walk  []int
		fired int
	}{
		{nil, 2},
		{[]int{1}, 2},    // naming the state that armed it is not leaving it
		{[]int{2}, 1},    // "across" lives on
		{[]int{3}, 0},    // left both
		{[]int{2, 3}, 0}, // left later
		{[]int{2, 1}, 1}, // what ended does not come back
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
		d.advance(999 * time.Millisecond)
		log.want(t, "")
		d.advance(time.Millisecond)
		if n := stats(t, l).Timers; int(n) != test.fired {
			t.Errorf("after states %v %d timers fired, want %d: %s", test.walk, n, test.fired, log.take())
		}
		if at, ok := d.sleepsUntil(); ok {
			t.Errorf("after states %v the loop wants to be up at %v, for nothing", test.walk, at)
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
	tell(d, ref, 0) // of a timer that does not run: nothing
	steps(d, 10, 100*time.Millisecond, nil)
	log.want(t, "")
}

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
	if err := <-failed; err == nil || errors.Is(err, reactor.ErrFull) {
		t.Errorf("a timer that does not exist: %v", err)
	}
	tell(d, ref, int(many))
	if err := <-failed; err != nil {
		t.Errorf("the first timer: %v", err)
	}
	tell(d, ref, int(across))
	if err := <-failed; !errors.Is(err, reactor.ErrFull) {
		t.Errorf("one more than Config.Timers: %v", err)
	}
}

// Of two timers due in the same tick the first one's handler stops the other.
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
		d.advance(2 * time.Second)
		if n := stats(t, l).Timers; n != 1 {
			t.Errorf("%s: %d timers fired, want 1: %s", name, n, log.take())
		}
	}
}

// A slot that is used again must not inherit its last machine's deadlines.
func TestNoDeadlineOfTheDead(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{Slots: 1, Timers: 2})
	k := clockKind(t, reactor.Options{Timers: twoTimers}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never})
	ref := spawn(t, l, k, clocked{log: log, do: armOrGo})
	tell(d, ref, arm)
	tell(d, ref, int(fsm.Stop))
	ref = spawn(t, l, k, clocked{log: log, do: armOrGo})
	tell(d, ref, 3)
	log.take()
	d.advance(time.Minute)
	log.want(t, "")
}

// Many machines with deadlines of every kind at random times, the clock in steps of
// random length: none is early, and none is later than the step that passed it, or
// a tick.
func TestDeadlinesAreNeverEarly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	d := newFake(t)
	const machines, span = 200, 20_000
	l := d.start(reactor.Config{Slots: machines})
	before, missed := time.Duration(d.Now()), 0
	step := func(cx *clock, due time.Duration) {
		switch now := cx.Now(); {
		case now < due:
			t.Errorf("a deadline fired %v early", due-now)
		case before >= due+time.Millisecond:
			t.Errorf("a deadline due at %v fired at %v: the clock passed it in an earlier step", due, now)
		}
		missed--
	}
	k := kind(t, "random", reactor.Options{Timers: []reactor.TimerSpec{{Name: "timer"}}}, reactor.Table[clocked, int]{
		fsm.Any: {OnMessage: (*clocked).told},
		1: {Name: "one", Within: fsm.After(time.Hour, 2), OnTimer: (*clocked).timer, To: fsm.To(2), OnEnter: func(c *clocked, cx *clock) reactor.State {
			after := time.Duration(1+rng.IntN(span)) * 100 * time.Microsecond
			c.zero = cx.Now() + after
			if missed++; rng.IntN(2) == 0 {
				cx.Within(after)
				return fsm.Stay
			}
			return cx.Fail(cx.Arm(0, after))
		}},
		2: {Name: "two", Within: fsm.After(time.Hour, 1), To: fsm.To(1), OnEnter: func(c *clocked, cx *clock) reactor.State {
			step(cx, c.zero)
			return 1
		}},
	})
	proto := clocked{log: &journal{}, fire: func(*clocked, *clock, reactor.Fired) reactor.State { return 2 }}
	for range machines {
		spawn(t, l, k, proto)
	}
	d.settle()
	for range 1500 {
		by := time.Duration(rng.IntN(5_000)) * time.Microsecond
		if rng.IntN(100) == 0 {
			by += time.Second
		}
		before = time.Duration(d.Now())
		d.advance(by)
	}
	if n := stats(t, l).Deadlines + stats(t, l).Timers; n < 1000 {
		t.Errorf("%d deadlines in all: the test is too short", n)
	}
	if missed != machines {
		t.Errorf("%d deadlines run, want %d", missed, machines)
	}
}

// Output stalls from when it was written, and not from when its turn began.
func TestStallAfterASlowHandler(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{Stall: fsm.After(time.Second, 2)},
		clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never})
	s, ref := adopt(d, l, k, clocked{log: log, do: func(_ *clocked, cx *clock, _ int) reactor.State {
		d.mu.Lock()
		d.now += int64(5 * time.Second)
		d.mu.Unlock()
		return cx.Fail(cx.Write(0, []byte("hello")))
	}})
	d.do(func() { s.room = 0 })
	log.take()
	tell(d, ref, 1)
	d.advance(900 * time.Millisecond)
	log.want(t, "")
	d.advance(200 * time.Millisecond)
	log.want(t, "2@6.1s")
}
