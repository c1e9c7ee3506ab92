package reactor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
)

// wakened is a driver with a Wake, and a resolver, of its own.
type wakened struct {
	*fake
	wake   func()
	lookUp func(network, addr string, done func([]driver.Addr, error))
}

func (d *wakened) Wake() { d.wake() }

func (d *wakened) LookUp(network, addr string, done func([]driver.Addr, error)) {
	d.lookUp(network, addr, done)
}

// stepped returns a loop that is run by a Stepper, and its driver, whose Wait does not wait.
func stepped(t *testing.T) (*reactor.Loop, *reactor.Stepper, *wakened) {
	t.Helper()
	d := &wakened{fake: newFake(t), wake: func() {}}
	d.NoWait = true
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d})
	if err != nil {
		t.Fatal(err)
	}
	st, err := l.Stepper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for st.Stop(); !st.Turn(); {
		}
	})
	return l, st, d
}

// After Doze, a message makes the loop call Wake, which may take the turn: in the midst of the
// handler of another loop that sends it.
func TestDoze(t *testing.T) {
	var log []string
	to, toSteps, toDriver := stepped(t)
	from, fromSteps, _ := stepped(t)
	hearing := kind(t, "hearing", reactor.Options{}, reactor.Table[struct{}, int]{
		{Shutdown: fsm.Stop},
		{Name: "one", Within: fsm.Never, OnMessage: func(*struct{}, *reactor.Context[int], *int) reactor.State {
			log = append(log, "heard")
			if toSteps.CanTurn() {
				log = append(log, "can turn in a turn")
			}
			return fsm.Stay
		}}})
	ref := spawn(t, to, hearing, struct{}{})
	saying := kind(t, "saying", reactor.Options{}, reactor.Table[struct{}, int]{
		{Shutdown: fsm.Stop},
		{Name: "one", Within: fsm.Never, OnMessage: func(_ *struct{}, cx *reactor.Context[int], _ *int) reactor.State {
			ref.Post(&cx.IO, 1)
			log = append(log, "said")
			return fsm.Stay
		}}})
	sayer := spawn(t, from, saying, struct{}{})
	wakes := 0
	toDriver.wake = func() {
		wakes++
		if toSteps.CanTurn() {
			toSteps.Turn()
		}
	}
	say := func(want ...string) {
		t.Helper()
		log = nil
		for range 2 { // both are handled in one turn
			sayer.Send(1)
		}
		for fromSteps.Until() == 0 || toSteps.Until() == 0 {
			fromSteps.Turn()
			toSteps.Turn()
		}
		if len(log) != len(want) {
			t.Fatalf("got %q, want %q", log, want)
		}
		for i := range log {
			if log[i] != want[i] {
				t.Fatalf("got %q, want %q", log, want)
			}
		}
	}
	for fromSteps.Until() == 0 || toSteps.Until() == 0 {
		fromSteps.Turn()
		toSteps.Turn()
	}
	say("said", "said", "heard", "heard")
	if wakes != 0 {
		t.Errorf("%d calls of Wake without Doze", wakes)
	}
	toSteps.Doze()
	say("heard", "said", "said", "heard")
	say("said", "said", "heard", "heard")
	if wakes != 1 {
		t.Errorf("%d calls of Wake: want 1", wakes)
	}
	toSteps.Doze()
	toSteps.Turn() // ends it
	say("said", "said", "heard", "heard")
}

// A driver that looks up names is asked instead of package net.
func TestDriverLooksUp(t *testing.T) {
	type cx = reactor.Context[reactor.None]
	const peer reactor.Port = 0
	l, st, d := stepped(t)
	var answer func([]driver.Addr, error)
	var asked string
	d.lookUp = func(network, addr string, done func([]driver.Addr, error)) { asked, answer = network+" "+addr, done }
	var got error
	k := kind(t, "dialling", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "one", Wait: peer.Opened(), Within: fsm.After(time.Minute, fsm.Stop), Fail: 2, To: fsm.To(2),
			OnEnter: func(_ *struct{}, c *cx) reactor.State {
				return c.Fail(c.Dial(peer, "tcp", "some.test:80"))
			},
			OnReady: func(*struct{}, *cx, reactor.Ready) reactor.State { return fsm.Stay }},
		{Name: "two", Within: fsm.Never, OnEnter: func(_ *struct{}, c *cx) reactor.State {
			got = c.Cause()
			return fsm.Stay
		}}})
	spawn(t, l, k, struct{}{})
	settle := func() {
		for st.Until() == 0 {
			st.Turn()
		}
	}
	settle()
	if asked != "tcp some.test:80" || got != nil {
		t.Fatalf("the driver was asked for %q; the dial ended by %v", asked, got)
	}
	unknown := errors.New("unknown")
	answer(nil, unknown)
	settle()
	if !errors.Is(got, unknown) {
		t.Errorf("got %v, want %v", got, unknown)
	}
}
