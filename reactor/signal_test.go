package reactor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// guard asks for a set of signals and passes on what it is told.
type guard struct {
	set  sig.Set
	told chan sig.Set
	err  chan error
}

type guardCx = reactor.Context[reactor.State]

func guards(t testing.TB) *reactor.Kind[guard, reactor.State] {
	return kind(t, "guard", reactor.Options{}, reactor.Table[guard, reactor.State]{
		fsm.Any: {
			OnEnter: func(g *guard, cx *guardCx) reactor.State {
				g.err <- cx.Notify(g.set)
				return fsm.Stay
			},
			OnMessage: func(_ *guard, _ *guardCx, to *reactor.State) reactor.State { return *to },
		},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop,
			OnSignal: func(g *guard, _ *guardCx, set sig.Set) reactor.State { g.told <- set; return fsm.Stay }},
	})
}

func newGuard(t testing.TB, l *reactor.Loop, set sig.Set) (guard, reactor.Ref[reactor.State]) {
	t.Helper()
	g := guard{set, make(chan sig.Set, 100), make(chan error, 1)}
	ref := spawn(t, l, guards(t), g)
	if err := answer(t, "Notify", g.err); err != nil {
		t.Fatal(err)
	}
	return g, ref
}

// hears waits until all of want was told, in however many sets, and nothing else.
func (g guard) hears(t testing.TB, want sig.Set) {
	t.Helper()
	late := time.After(20 * time.Second)
	for left := want; left != 0; {
		select {
		case set := <-g.told:
			if set&^want != 0 {
				t.Errorf("told of %v, want %v", set, want)
			}
			left &^= set
		case <-late:
			t.Fatalf("not told of %v", left)
		}
	}
}

func TestSignals(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	one, ref := newGuard(t, l, sigUSR1)
	both, _ := newGuard(t, l, sigUSR1|sigUSR2)
	d.raise(sigUSR1)
	one.hears(t, sigUSR1)
	both.hears(t, sigUSR1)
	d.raise(sigUSR2)
	both.hears(t, sigUSR2)
	d.send(ref, fsm.Stop)
	d.raise(sigUSR1)
	both.hears(t, sigUSR1)
	d.settle()
	if len(one.told) != 0 {
		t.Errorf("told of %v, which it did not ask for, or when it had ended", <-one.told)
	}
}

// What comes between two turns is told at once, each signal once.
func TestSignalsOfATurnAreOneSet(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g, _ := newGuard(t, l, sigHUP|sigUSR1|sigUSR2|sigTERM)
	d.atOnce(func() { d.raise(sigTERM, sigHUP, sigUSR2, sigHUP, sigTERM) })
	if len(g.told) != 1 {
		t.Fatalf("told %d times, want once", len(g.told))
	}
	if got, want := <-g.told, sigHUP|sigUSR2|sigTERM; got != want {
		t.Errorf("told of %v, want %v", got, want)
	}
	if n := stats(t, l).Signals; n != 1 {
		t.Errorf("%d sets were counted", n)
	}
}

// However many asked and ended, those that live are told.
func TestManyAskForSignals(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{Slots: 8})
	first, _ := newGuard(t, l, sigUSR1)
	for range 200 {
		_, ref := newGuard(t, l, sigUSR1)
		d.send(ref, fsm.Stop)
	}
	last, _ := newGuard(t, l, sigUSR1)
	d.raise(sigUSR1)
	first.hears(t, sigUSR1)
	last.hears(t, sigUSR1)
}

func TestSignalThatCannotBeCaught(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g := guard{sigKILL | sigUSR1, make(chan sig.Set, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := answer(t, "Notify", g.err); !errors.Is(err, errUncatchable) {
		t.Errorf("%v, want the driver's error", err)
	}
}

// A panic in the first one's handler must not keep the signal from the second.
func TestSignalBehindAPanic(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	first, _ := newGuard(t, l, sigUSR1)
	close(first.told) // sending on it panics
	second, _ := newGuard(t, l, sigUSR1)
	d.raise(sigUSR1)
	second.hears(t, sigUSR1)
	if n := stats(t, l).Panics; n != 1 {
		t.Errorf("%d panics", n)
	}
}
