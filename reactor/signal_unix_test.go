//go:build unix

package reactor_test

import (
	"os"
	"syscall"
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
			Enter: func(g *guard, cx *guardCx) reactor.State {
				g.err <- cx.Notify(reactor.Signals(g.set))
				return fsm.Stay
			},
			Message: func(_ *guard, _ *guardCx, to *reactor.State) reactor.State { return *to },
		},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop,
			Signal: func(g *guard, _ *guardCx, set reactor.Signals) reactor.State { g.told <- sig.Set(set); return fsm.Stay }},
	})
}

func raise(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

// hears waits until all of want was told, in however many sets, and nothing else.
func (g guard) hears(t testing.TB, want sig.Set) {
	t.Helper()
	late := time.After(10 * time.Second)
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

func newGuard(t testing.TB, l *reactor.Loop, signals ...os.Signal) (guard, reactor.Ref[reactor.State]) {
	t.Helper()
	g := guard{sig.Of(signals...), make(chan sig.Set, 100), make(chan error, 1)}
	ref := spawn(t, l, guards(t), g)
	if err := <-g.err; err != nil {
		t.Fatal(err)
	}
	return g, ref
}

func TestSignals(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	one, ref := newGuard(t, l, syscall.SIGUSR1)
	both, _ := newGuard(t, l, syscall.SIGUSR1, syscall.SIGUSR2)
	raise(t, syscall.SIGUSR1)
	one.hears(t, sig.Of(syscall.SIGUSR1))
	both.hears(t, sig.Of(syscall.SIGUSR1))
	raise(t, syscall.SIGUSR2)
	both.hears(t, sig.Of(syscall.SIGUSR2))
	d.send(ref, fsm.Stop)
	raise(t, syscall.SIGUSR1)
	both.hears(t, sig.Of(syscall.SIGUSR1))
	d.settle()
	if len(one.told) != 0 {
		t.Errorf("told of %v, which it did not ask for, or when it had ended", <-one.told)
	}
}

func TestSignalThatCannotBeCaught(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	g := guard{sig.Of(syscall.SIGKILL), make(chan sig.Set, 1), make(chan error, 1)}
	spawn(t, l, guards(t), g)
	if err := <-g.err; err == nil {
		t.Error("SIGKILL is caught")
	}
}

// A panic in the first one's handler must not keep the signal from the second.
func TestSignalBehindAPanic(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	first, _ := newGuard(t, l, syscall.SIGUSR1)
	close(first.told) // sending on it panics
	second, _ := newGuard(t, l, syscall.SIGUSR1)
	raise(t, syscall.SIGUSR1)
	second.hears(t, sig.Of(syscall.SIGUSR1))
	if n := stats(t, l).Panics; n != 1 {
		t.Errorf("%d panics", n)
	}
}
