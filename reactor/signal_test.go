package reactor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// guard asks for a set of signals and passes on what it is told.
type guard struct {
	set  reactor.Signals
	told chan reactor.Signals
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
			OnSignal: func(g *guard, _ *guardCx, set reactor.Signals) reactor.State { g.told <- set; return fsm.Stay }},
	})
}

func newGuard(t testing.TB, l *reactor.Loop, set reactor.Signals) (guard, reactor.Ref[reactor.State]) {
	t.Helper()
	g := guard{set, make(chan reactor.Signals, 100), make(chan error, 1)}
	ref := spawn(t, l, guards(t), g)
	if err := answer(t, "Notify", g.err); err != nil {
		t.Fatal(err)
	}
	return g, ref
}

// hears waits until all of want was told, in however many sets, and nothing else.
func (g guard) hears(t testing.TB, want reactor.Signals) {
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
	one, ref := newGuard(t, l, 1<<10)
	both, _ := newGuard(t, l, 1<<10|1<<12)
	d.raise(10)
	one.hears(t, 1<<10)
	both.hears(t, 1<<10)
	d.raise(12)
	both.hears(t, 1<<12)
	d.send(ref, fsm.Stop)
	d.raise(10)
	both.hears(t, 1<<10)
	d.settle()
	if len(one.told) != 0 {
		t.Errorf("told of %v, which it did not ask for, or when it had ended", <-one.told)
	}
}

// What comes between two turns is told at once, each signal once.
func TestSignalsOfATurnAreOneSet(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g, _ := newGuard(t, l, 1<<1|1<<10|1<<12|1<<15)
	d.atOnce(func() { d.raise(15, 1, 12, 1, 15) })
	if len(g.told) != 1 {
		t.Fatalf("told %d times, want once", len(g.told))
	}
	if got, want := <-g.told, reactor.Signals(1<<1|1<<12|1<<15); got != want {
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
	first, _ := newGuard(t, l, 1<<10)
	for range 200 {
		_, ref := newGuard(t, l, 1<<10)
		d.send(ref, fsm.Stop)
	}
	last, _ := newGuard(t, l, 1<<10)
	d.raise(10)
	first.hears(t, 1<<10)
	last.hears(t, 1<<10)
}

func TestSignalThatCannotBeCaught(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g := guard{1<<9 | 1<<10, make(chan reactor.Signals, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := answer(t, "Notify", g.err); !errors.Is(err, errUncatchable) {
		t.Errorf("%v, want the driver's error", err)
	}
}

// A panic in the first one's handler must not keep the signal from the second.
func TestSignalBehindAPanic(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	first, _ := newGuard(t, l, 1<<10)
	close(first.told) // sending on it panics
	second, _ := newGuard(t, l, 1<<10)
	d.raise(10)
	second.hears(t, 1<<10)
	if n := stats(t, l).Panics; n != 1 {
		t.Errorf("%d panics", n)
	}
}
