package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// traced is a Tracer that records its calls.
type traced struct{ observed }

func (w *traced) Traced(_ reactor.Token, k reactor.AnyKind, in reactor.State, c reactor.Event) {
	w.add(fmt.Sprintf("%s %s", k.StateName(in), c))
}

// A Tracer is called for each event before its transition: for what a handler gets, also
// row Any's, for deadlines, failures and a shutdown.
func TestTracer(t *testing.T) {
	var log traced
	type step struct{}
	type cx = reactor.Context[int]
	k := kind(t, "traced", reactor.Options{Timers: []reactor.TimerSpec{{Name: "tick"}}}, reactor.Table[step, int]{
		fsm.Any: {Shutdown: fsm.Stop, OnEnter: func(*step, *cx) reactor.State { return fsm.Stay },
			OnMessage: func(_ *step, cx *cx, n *int) reactor.State {
				if *n == 0 {
					return cx.Fail(errors.New("zero"))
				}
				return cx.Fail(nil)
			}},
		{Name: "one", Fail: 2, Within: fsm.Never, OnMessage: func(*step, *cx, *int) reactor.State { return fsm.Pass }},
		{Name: "two", Idle: fsm.After(time.Second, 3)},
		{Name: "three", Within: fsm.Never,
			OnEnter: func(_ *step, cx *cx) reactor.State { return cx.Fail(cx.Arm(0, time.Second)) },
			OnTimer: func(*step, *cx, reactor.Fired) reactor.State { return fsm.Stay }},
	})
	drv, l, st := stepping(t, &log)
	pass := func(d time.Duration) {
		drv.Pass(d)
		st.Turn()
	}
	ref := spawn(t, l, k, step{})
	st.Turn()
	log.want(t, "any enter traced:any>one:true")
	for _, n := range []int{1, 0} {
		if err := ref.Send(n); err != nil {
			t.Fatal(err)
		}
		st.Turn()
	}
	log.want(t, "one message one message one fail traced:one>two:true")
	pass(2 * time.Second)
	log.want(t, "two idle traced:two>three:true three enter")
	pass(2 * time.Second)
	log.want(t, "three timer")
	st.Leave()
	for turns := 0; !st.Turn(); turns++ {
		if turns > 10 {
			t.Fatal("got no end of the loop in 10 turns after Leave, want one")
		}
	}
	log.want(t, "three shutdown traced:three>stop:true traced ended:"+reactor.ErrShutdown.Error())
}

// tracedMessages is a MessageTracer that records messages as well.
type tracedMessages struct{ traced }

func (w *tracedMessages) TracedSend(to reactor.Token, m any, err error) {
	w.add(fmt.Sprintf("%d to %d: %v", *m.(*int), to.Index(), err))
}

func (w *tracedMessages) TracedMessage(t reactor.Token, m any) {
	w.add(fmt.Sprintf("%d gets %d", t.Index(), *m.(*int)))
}

// stepping returns a loop with an observer, to be run a turn at a time.
func stepping(t *testing.T, o reactor.Observer) (*fake, *reactor.Loop, *reactor.Stepper) {
	drv := newFake(t)
	drv.NoWait = true
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: drv, Observer: o})
	if err != nil {
		t.Fatal(err)
	}
	st, err := l.Stepper()
	if err != nil {
		t.Fatal(err)
	}
	return drv, l, st
}

// A MessageTracer is given each message when it is sent or refused, and before Traced is
// called, once also if row Any's handler gets it in the end.
func TestMessageTracer(t *testing.T) {
	var log tracedMessages
	type step struct{}
	type cx = reactor.Context[int]
	k := kind(t, "told", reactor.Options{Mailbox: 1}, reactor.Table[step, int]{
		fsm.Any: {Shutdown: fsm.Stop, OnMessage: func(*step, *cx, *int) reactor.State { return fsm.Stay }},
		{Name: "passes", Within: fsm.Never, OnMessage: func(*step, *cx, *int) reactor.State { return fsm.Pass }},
	})
	_, l, st := stepping(t, &log)
	ref := spawn(t, l, k, step{})
	st.Turn()
	log.want(t, "told:any>passes:true")
	if err := ref.Send(7); err != nil {
		t.Fatal(err)
	}
	if err := ref.Send(8); !errors.Is(err, reactor.ErrFull) {
		t.Fatalf("the second message: %v; want ErrFull", err)
	}
	st.Turn()
	log.want(t, strings.ReplaceAll("7 to I: <nil> 8 to I: <nil> 8 to I: full I gets 7 passes message", "I", fmt.Sprint(ref.Token().Index())))
	st.Leave()
	for turns := 0; !st.Turn(); turns++ {
		if turns > 10 {
			t.Fatal("got no end of the loop in 10 turns after Leave, want one")
		}
	}
}
