package reactor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// confidant is a witness that is told what machines are given, too.
type confidant struct{ witness }

func (w *confidant) Traced(_ reactor.Token, k reactor.AnyKind, in reactor.State, c reactor.Event) {
	w.add(fmt.Sprintf("%s %s", k.StateName(in), c))
}

// A Witness is told of each event before its transition: of handlers', which may be
// row Any's, of deadlines, of failures and of a shutdown.
func TestWitness(t *testing.T) {
	var log confidant
	type step struct{}
	type cx = reactor.Context[int]
	k := kind(t, "witnessed", reactor.Options{Timers: []reactor.TimerSpec{{Name: "tick"}}}, reactor.Table[step, int]{
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
	drv := newFake(t)
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: unhurried{drv}, Observer: &log})
	if err != nil {
		t.Fatal(err)
	}
	st, err := l.Stepper()
	if err != nil {
		t.Fatal(err)
	}
	pass := func(d time.Duration) {
		drv.now += int64(d) // one goroutine
		st.Turn()
	}
	ref := spawn(t, l, k, step{})
	st.Turn()
	log.want(t, "any enter witnessed:any>one:true")
	for _, n := range []int{1, 0} {
		if err := ref.Send(n); err != nil {
			t.Fatal(err)
		}
		st.Turn()
	}
	log.want(t, "one message one message one fail witnessed:one>two:true")
	pass(2 * time.Second)
	log.want(t, "two idle witnessed:two>three:true three enter")
	pass(2 * time.Second)
	log.want(t, "three timer")
	st.Leave()
	for !st.Turn() {
	}
	log.want(t, "three shutdown witnessed:three>stop:true witnessed ended:"+reactor.ErrShutdown.Error())
}
