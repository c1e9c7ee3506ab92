package reactor_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// clocked records when it entered a state and when a timer fired, as the time since its
// birth.
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

func (c *clocked) onMessage(cx *clock, what *int) reactor.State { return c.do(c, cx, *what) }

func (c *clocked) timer(cx *clock, f reactor.Fired) reactor.State {
	c.log.add(fmt.Sprintf("t%d.%d@%v", f.Timer, f.ID, cx.Now()-c.zero))
	if c.fire == nil {
		return fsm.Stay
	}
	return c.fire(c, cx, f)
}

// take reads everything and writes nothing.
func (c *clocked) take(cx *clock, _ reactor.Ready) reactor.State {
	b, err := cx.Peek(0)
	cx.Discard(0, len(b))
	return cx.Fail(err)
}

// goTo is a function for clocked.do. The message is the state to go to.
func goTo(_ *clocked, _ *clock, what int) reactor.State { return reactor.State(what) }

type clockRow = reactor.Row[clocked, int]

// clockKind adds to the rows the handlers that all of these tests have.
func clockKind(t testing.TB, o reactor.Options, rows ...clockRow) *reactor.Kind[clocked, int] {
	t.Helper()
	rows[0].OnEnter = (*clocked).born
	rows[0].OnMessage = (*clocked).onMessage
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

// tell sends a message and waits until it is handled.
func tell(d *fake, ref reactor.Ref[int], what int) {
	d.t.Helper()
	if err := ref.Send(what); err != nil {
		d.t.Fatal(err)
	}
	d.Settle()
}

// steps advances the clock n times. If each is not nil, it is called after each step.
func steps(d *fake, n int, by time.Duration, each func()) {
	d.t.Helper()
	for range n {
		d.Advance(by)
		if each != nil {
			each()
		}
	}
}

// Within bounds the stay in a state, even if input and messages keep coming.
func TestWithinBoundsTheStayHoweverBusy(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, ref := adopt(d, l, k, clocked{log: log, do: goTo})
	steps(d, 19, 100*time.Millisecond, func() { s.PeerSends("x"); tell(d, ref, int(fsm.Stay)) })
	log.want(t, "1@0s 2@1s")
}

func TestNamingAStateStartsWithinAnew(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	ref := spawn(t, l, k, clocked{log: log, do: goTo})
	d.Advance(900 * time.Millisecond)
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
	steps(d, 5, 600*time.Millisecond, func() { s.PeerSends("x") })
	steps(d, 5, 600*time.Millisecond, func() { tell(d, ref, int(fsm.Stay)) })
	steps(d, 15, 100*time.Millisecond, nil)
	log.want(t, "1@0s 2@7s")
}

func TestIdleIsNotRenewedByCalls(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	calls := 0
	k := kind(t, "decliner", reactor.Options{Ports: []string{"peer"}}, reactor.Table[clocked, int]{
		fsm.Any: {OnEnter: (*clocked).born, OnMessage: (*clocked).onMessage},
		1: {Name: "one", OnEnter: (*clocked).enter, Idle: fsm.After(time.Second, 2), Fail: fsm.Stop, Wait: reactor.Port(0).Readable(),
			OnReady: func(*clocked, *clock, reactor.Ready) reactor.State { calls++; return fsm.Stay }},
		2: {Name: "two", OnEnter: (*clocked).enter, Within: fsm.Never, Shutdown: fsm.Stop},
	})
	s, _ := adopt(d, l, k, clocked{log: log})
	steps(d, 15, 100*time.Millisecond, func() { s.PeerSends("x") })
	log.want(t, "1@0s 2@1s")
	if calls != 10 {
		t.Errorf("got %d calls in state 1, want 10: at its start, and for 9 inputs", calls)
	}
}

// Events without bytes do not renew Idle, however often they come.
func TestIdleIsNotPutOffByEmptyEvents(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Idle: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, _ := adopt(d, l, k, clocked{log: log, do: goTo})
	for range 15 {
		d.AtOnce(func() {
			d.Pass(100 * time.Millisecond)
			d.Update(func() { s.Event(poll.Readable) })
		})
	}
	log.want(t, "1@0s 2@1s")
}

// A loop that runs late reads input that came in time before it lets Idle end.
func TestIdleOfALateLoop(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{},
		clockRow{Idle: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	s, _ := adopt(d, l, k, clocked{log: log, do: goTo})
	d.AtOnce(func() {
		d.Pass(3 * time.Second)
		d.Update(func() { s.In = [][]byte{[]byte("x")}; s.Event(poll.Readable) })
	})
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
	steps(d, 5, time.Second, nil) // no output: no stall
	tell(d, ref, 100)
	steps(d, 5, time.Second, nil) // the kernel took it: no stall
	d.Do(func() { s.Room = 0 })
	tell(d, ref, 100)
	steps(d, 9, 100*time.Millisecond, func() { s.PeerSends("input is no output") })
	s.PeerTakes(10)
	steps(d, 12, 100*time.Millisecond, func() { s.PeerSends("input is no output") })
	log.want(t, "1@0s 2@11.9s")
}

func TestLifeEndsTheMachineOnce(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{OnEnd: ended.add}, clockRow{Within: fsm.After(5*time.Second, 2)},
		clockRow{Within: fsm.After(2*time.Second, 1)}, clockRow{Within: fsm.After(3*time.Second, fsm.Stop)})
	spawn(t, l, k, clocked{log: log, do: goTo})
	steps(d, 79, 100*time.Millisecond, nil)
	log.want(t, "1@0s 1@2s 1@4s 2@5s")
	ended.none(t)
	d.Advance(100 * time.Millisecond)
	if err := ended.next(t); !errors.Is(err, reactor.ErrTimeout) {
		t.Errorf("got reason %v, want ErrTimeout", err)
	}
}

// Cause says which deadline of which state led to this one.
func TestCauseOfADeadline(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{}, clockRow{},
		clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
	spawn(t, l, k, clocked{log: log, do: goTo, in: func(c *clocked, cx *clock) { c.log.add(fmt.Sprint(cx.Cause())) }})
	d.Advance(time.Second)
	log.want(t, "1@0s <nil> 2@1s state \"state1\", within: timed out")
}

func TestContextWithin(t *testing.T) {
	for _, test := range []struct {
		within time.Duration
		want   string
	}{
		{within: 300 * time.Millisecond, want: "1@0s 2@300ms"},
		{within: 3 * time.Second, want: "1@0s 2@3s"},
		{within: 0, want: "1@0s"},
	} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		k := clockKind(t, reactor.Options{}, clockRow{},
			clockRow{Within: fsm.After(time.Second, 2)}, clockRow{Within: fsm.Never})
		spawn(t, l, k, clocked{log: log, do: goTo, in: func(_ *clocked, cx *clock) { cx.Within(test.within) }})
		steps(d, 50, 100*time.Millisecond, nil)
		log.want(t, test.want) // in state 2, which has no Within, IO.Within does nothing
		if at, ok := d.SleepsUntil(); ok {
			t.Errorf("Within %v: got a loop that will wake at %v, want never", test.within, at)
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
	d.Advance(400 * time.Millisecond)
	tell(d, ref, 700)
	steps(d, 10, 100*time.Millisecond, nil)
	log.want(t, "1@0s 2@1.1s")
}

// A machine does not get the deadlines of the one that had its slot before.
func TestNoDeadlineOfTheSlotsLastMachine(t *testing.T) {
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
	d.Advance(time.Minute)
	log.want(t, "")
}

// Of many machines with deadlines of each kind at random times, and a clock that moves
// in random steps, no deadline fires early, and none fires later than the step in which
// the clock passed it, or a tick.
func TestDeadlinesAreNeverEarly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	d := newFake(t)
	const machines, span = 200, 20_000
	l := d.start(reactor.Config{Slots: machines})
	before, running := time.Duration(d.Now()), 0
	step := func(cx *clock, due time.Duration) {
		switch now := cx.Now(); {
		case now < due:
			t.Errorf("a deadline due at %v: got it fired at %v, want it no earlier", due, now)
		case before >= due+time.Millisecond:
			t.Errorf("a deadline due at %v: got it fired at %v, want it in an earlier step", due, now)
		}
		running--
	}
	k := kind(t, "random", reactor.Options{Timers: []reactor.TimerSpec{{Name: "timer"}}}, reactor.Table[clocked, int]{
		fsm.Any: {OnMessage: (*clocked).onMessage},
		1: {Name: "one", Within: fsm.After(time.Hour, 2), OnTimer: (*clocked).timer, To: fsm.To(2), OnEnter: func(c *clocked, cx *clock) reactor.State {
			after := time.Duration(1+rng.IntN(span)) * 100 * time.Microsecond
			c.zero = cx.Now() + after
			if running++; rng.IntN(2) == 0 {
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
	d.Settle()
	for range 1500 {
		by := time.Duration(rng.IntN(5_000)) * time.Microsecond
		if rng.IntN(100) == 0 {
			by += time.Second
		}
		before = time.Duration(d.Now())
		d.Advance(by)
	}
	if s := stats(t, l); s.Deadlines < 1000 || s.Timers < 1000 {
		t.Errorf("got %d deadlines and %d timers, want 1000 of each for a meaningful test", s.Deadlines, s.Timers)
	}
	if running != machines {
		t.Errorf("got %d deadlines set, want %d, one for each machine", running, machines)
	}
}

// Stall counts from when the output was written, and not from when the turn began.
func TestStallAfterASlowHandler(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := clockKind(t, reactor.Options{Ports: []string{"peer"}}, clockRow{Stall: fsm.After(time.Second, 2)},
		clockRow{Within: fsm.Never}, clockRow{Within: fsm.Never})
	s, ref := adopt(d, l, k, clocked{log: log, do: func(_ *clocked, cx *clock, _ int) reactor.State {
		d.Pass(5 * time.Second)
		return cx.Fail(cx.Write(0, []byte("hello")))
	}})
	d.Do(func() { s.Room = 0 })
	log.take()
	tell(d, ref, 1)
	d.Advance(900 * time.Millisecond)
	log.want(t, "")
	d.Advance(200 * time.Millisecond)
	log.want(t, "2@6.1s")
}
