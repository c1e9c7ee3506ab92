package reactor_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/sig"
)

// guard asks for a set of signals and passes on those that it gets.
type guard struct {
	set  sig.Set
	came chan sig.Set
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
			OnSignal: func(g *guard, _ *guardCx, set sig.Set) reactor.State { g.came <- set; return fsm.Stay }},
	})
}

// newGuard makes a guard and waits until it has asked for its signals.
func newGuard(t testing.TB, l *reactor.Loop, set sig.Set) (guard, reactor.Ref[reactor.State]) {
	t.Helper()
	g := guard{set, make(chan sig.Set, 100), make(chan error, 1)}
	ref := spawn(t, l, guards(t), g)
	if err := await(t, "Notify", g.err); err != nil {
		t.Fatal(err)
	}
	return g, ref
}

// wants waits until all of these signals came, in any number of sets, and no others.
func (g guard) wants(t testing.TB, want sig.Set) {
	t.Helper()
	for left := want; left != 0; {
		set := await(t, fmt.Sprint("signals ", left), g.came)
		if set&^want != 0 {
			t.Errorf("got signals %v, want %v", set, want)
		}
		left &^= set
	}
}

func TestSignals(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	one, ref := newGuard(t, l, 1<<10)
	both, _ := newGuard(t, l, 1<<10|1<<12)
	d.Raise(1 << 10)
	one.wants(t, 1<<10)
	both.wants(t, 1<<10)
	d.Raise(1 << 12)
	both.wants(t, 1<<12)
	d.send(ref, fsm.Stop)
	d.Raise(1 << 10)
	both.wants(t, 1<<10)
	d.Settle()
	if len(one.came) != 0 {
		t.Errorf("got signals %v that it did not ask for, or after its end, want none", <-one.came)
	}
}

// Signals that come between two turns are delivered as one set.
func TestSignalsOfATurnAreOneSet(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g, _ := newGuard(t, l, 1<<1|1<<10|1<<12|1<<15)
	d.AtOnce(func() { d.Raise(1<<15, 1<<1, 1<<12, 1<<1, 1<<15) })
	if len(g.came) != 1 {
		t.Fatalf("got %d sets, want 1", len(g.came))
	}
	if got, want := <-g.came, sig.Set(1<<1|1<<12|1<<15); got != want {
		t.Errorf("got signals %v, want %v", got, want)
	}
	if n := stats(t, l).Signals; n != 1 {
		t.Errorf("got %d sets counted, want 1", n)
	}
}

// Machines that asked for signals and ended do not keep them from those that live.
func TestManyAskForSignals(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{Slots: 8})
	first, _ := newGuard(t, l, 1<<10)
	for range 200 {
		_, ref := newGuard(t, l, 1<<10)
		d.send(ref, fsm.Stop)
	}
	last, _ := newGuard(t, l, 1<<10)
	d.Raise(1 << 10)
	first.wants(t, 1<<10)
	last.wants(t, 1<<10)
}

func TestSignalThatCannotBeCaught(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g := guard{1<<9 | 1<<10, make(chan sig.Set, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := await(t, "Notify", g.err); !errors.Is(err, fakedriver.ErrUncatchable) {
		t.Errorf("Notify: got %v, want the driver's error", err)
	}
}

// A panic in one machine's handler does not keep the signal from the next machine.
func TestSignalBehindAPanic(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	first, _ := newGuard(t, l, 1<<10)
	close(first.came) // sending on it panics
	second, _ := newGuard(t, l, 1<<10)
	d.Raise(1 << 10)
	second.wants(t, 1<<10)
	if n := stats(t, l).Panics; n != 1 {
		t.Errorf("got %d panics, want 1", n)
	}
}
