package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// unhurried is a fake whose Wait never waits.
type unhurried struct{ *fake }

func (d unhurried) Wait([]poll.Event, int64) (int, error) { return 0, nil }

// witness notes what an Observer is told.
type witness struct{ journal }

func (w *witness) Moved(_ reactor.Token, k reactor.AnyKind, from, to reactor.State) {
	w.add(fmt.Sprintf("%s:%s>%s:%v", k.Name(), k.StateName(from), k.StateName(to), k.Declares(from, to)))
}

func (w *witness) Ended(_ reactor.Token, k reactor.AnyKind, reason error) {
	w.add(fmt.Sprintf("%s ended:%v", k.Name(), reason))
}

// A Stepper is all that runs its loop: between turns calls are done at once, in a
// turn they are a handler's, and the loop says when it wants the next one.
func TestStepper(t *testing.T) {
	var log witness
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: unhurried{newFake(t)}, Observer: &log})
	if err != nil {
		t.Fatal(err)
	}
	type step struct{}
	var inside error
	k := kind(t, "stepping", reactor.Options{}, reactor.Table[step, int]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "one", Within: fsm.Never, To: fsm.To(2), OnMessage: func(*step, *reactor.Context[int], *int) reactor.State {
			_, inside = l.Stats()
			return 2
		}},
		{Name: "two", Within: fsm.Never, OnMessage: func(*step, *reactor.Context[int], *int) reactor.State { return 1 }},
	})
	st, err := l.Stepper()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Stepper(); !errors.Is(err, reactor.ErrRunning) {
		t.Errorf("a second Stepper: %v", err)
	}
	if err := l.Run(context.Background()); !errors.Is(err, reactor.ErrRunning) {
		t.Errorf("Run beside a Stepper: %v", err)
	}
	ref := spawn(t, l, k, step{})
	settle := func() {
		for st.Until() == 0 {
			if st.Turn() {
				t.Fatal("the loop has ended")
			}
		}
	}
	settle()
	log.want(t, "stepping:any>one:true")
	if err := ref.Send(1); err != nil || st.Until() != 0 {
		t.Fatalf("sent: %v, next turn at %d: want nil, 0", err, st.Until())
	}
	settle()
	log.want(t, "stepping:one>two:true")
	if !errors.Is(inside, reactor.ErrInHandler) {
		t.Errorf("Stats in a handler: %v", inside)
	}
	if err := l.Shutdown(context.Background()); !errors.Is(err, reactor.ErrInHandler) {
		t.Errorf("Shutdown between turns: %v", err)
	}
	ref.Send(1) // an answer that no To names
	settle()
	log.want(t, `stepping:two>stop:true stepping ended:reactor: stepping: state "two" answered one, which its To does not name: undeclared transition`)

	spawn(t, l, k, step{})
	settle()
	log.take()
	st.Leave()
	for turns := 0; !st.Turn(); turns++ {
		if turns > 10 {
			t.Fatal("asked to leave, the loop does not end")
		}
	}
	log.want(t, "stepping:one>stop:true stepping ended:shutting down")
}
