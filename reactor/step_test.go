package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// observed is an Observer that records its calls.
type observed struct{ journal }

func (w *observed) Moved(_ reactor.Token, k reactor.AnyKind, from, to reactor.State) {
	w.add(fmt.Sprintf("%s:%s>%s:%v", k.Name(), k.StateName(from), k.StateName(to), k.Declares(from, to)))
}

func (w *observed) Ended(_ reactor.Token, k reactor.AnyKind, reason error) {
	w.add(fmt.Sprintf("%s ended:%v", k.Name(), reason))
}

// A Stepper runs its loop on the caller's goroutine: calls between turns are done at
// once, calls during a turn are those of a handler, and Until says when the next turn
// is due.
func TestStepper(t *testing.T) {
	var log observed
	d := newFake(t)
	d.NoWait = true
	l, err := reactor.NewLoop(reactor.Config{Slots: 4, Driver: d, Observer: &log})
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
		t.Errorf("a second Stepper: got %v, want ErrRunning", err)
	}
	if err := l.Run(context.Background()); !errors.Is(err, reactor.ErrRunning) {
		t.Errorf("Run beside a Stepper: got %v, want ErrRunning", err)
	}
	ref := spawn(t, l, k, step{})
	settle := func() {
		for st.Until() == 0 {
			if st.Turn() {
				t.Fatal("Turn: got the end of the loop, want none")
			}
		}
	}
	settle()
	log.want(t, "stepping:any>one:true")
	if err := ref.Send(1); err != nil || st.Until() != 0 {
		t.Fatalf("Send: got %v, next turn at %d, want nil, 0", err, st.Until())
	}
	settle()
	log.want(t, "stepping:one>two:true")
	if !errors.Is(inside, reactor.ErrInHandler) {
		t.Errorf("Stats in a handler: got %v, want ErrInHandler", inside)
	}
	if err := l.Shutdown(context.Background()); !errors.Is(err, reactor.ErrInHandler) {
		t.Errorf("Shutdown between turns: got %v, want ErrInHandler", err)
	}
	if err := ref.Send(1); err != nil { // the handler returns a state that its row's To does not name
		t.Fatal(err)
	}
	settle()
	log.want(t, `stepping:two>stop:true stepping ended:reactor: stepping: state "two" answered one, which its To does not name: undeclared transition`)

	spawn(t, l, k, step{})
	settle()
	log.take()
	st.Leave()
	for turns := 0; !st.Turn(); turns++ {
		if turns > 10 {
			t.Fatal("got no end of the loop in 10 turns after Leave, want one")
		}
	}
	log.want(t, "stepping:one>stop:true stepping ended:shutting down")
}

// A handler of one stepped loop may not call with another one as the Host, whichever
// goroutine makes the turns now.
func TestAdopt(t *testing.T) {
	type step struct{}
	var ls [2]*reactor.Loop
	var st [2]*reactor.Stepper
	for i := range ls {
		d := newFake(t)
		d.NoWait = true
		var err error
		if ls[i], err = reactor.NewLoop(reactor.Config{Slots: 4, Driver: d}); err != nil {
			t.Fatal(err)
		}
		if st[i], err = ls[i].Stepper(); err != nil {
			t.Fatal(err)
		}
	}
	var inside []error
	k := kind(t, "asker", reactor.Options{}, reactor.Table[step, int]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "one", Within: fsm.Never, OnMessage: func(*step, *reactor.Context[int], *int) reactor.State {
			_, err := ls[1].Stats()
			inside = append(inside, err)
			return fsm.Stay
		}},
	})
	ref := spawn(t, ls[0], k, step{})
	turns := func() {
		if err := ref.Send(1); err != nil {
			t.Error(err)
		}
		for st[0].Until() == 0 {
			st[0].Turn()
		}
	}
	turns()
	done := make(chan bool)
	go func() {
		for _, s := range st {
			s.Adopt()
		}
		turns()
		close(done)
	}()
	<-done
	if len(inside) != 2 || !errors.Is(inside[0], reactor.ErrInHandler) || !errors.Is(inside[1], reactor.ErrInHandler) {
		t.Errorf("Stats of the other loop: got %v, want ErrInHandler twice", inside)
	}
	for _, s := range st {
		s.Stop()
		for !s.Turn() {
		}
	}
}
