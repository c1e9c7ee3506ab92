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

func TestSlabIsFull(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{Slots: 3})
	k := walkers(t, ended)
	few := kind(t, "few", reactor.Options{MaxMachines: 1}, reactor.Table[empty, reactor.None]{
		{}, {Name: "first", Within: fsm.After(time.Hour, fsm.Stop)}})
	spawn(t, l, few, empty{})
	if _, err := few.Spawn(l, empty{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("Spawn beyond Options.MaxMachines: got %v, want ErrFull", err)
	}
	ref := spawn(t, l, k, walker{log: log})
	spawn(t, l, k, walker{log: log})
	if _, err := k.Spawn(l, walker{log: log}); !errors.Is(err, reactor.ErrFull) || !strings.Contains(err.Error(), "walker") {
		t.Errorf("Spawn beyond Config.Slots: got %v, want ErrFull that names walker", err)
	}
	s := d.NewSocket()
	if _, err := readers(t, reactor.Options{}, reactor.Port(0).Readable()).Adopt(l, s.Conn(), reader{}); !errors.Is(err, reactor.ErrFull) {
		t.Errorf("Adopt with all slots taken: got %v, want ErrFull", err)
	}
	if !s.Closed() {
		t.Error("a socket that was refused: got it open, want it closed")
	}
	d.send(ref, fsm.Stop)
	again := spawn(t, l, k, walker{log: log})
	if again.Token() == ref.Token() || again.Token().Index() != ref.Token().Index() {
		t.Errorf("the machine after %v: got token %v, want the same slot and another generation", ref.Token(), again.Token())
	}
}

func TestRefOfAToken(t *testing.T) {
	d, d2, log, ended := newFake(t), newFake(t), &journal{}, newEnds()
	l, l2 := d.start(reactor.Config{}), d2.start(reactor.Config{})
	k := walkers(t, ended)
	ref := spawn(t, l, k, walker{log: log})
	if back, err := k.Ref(l, ref.Token()); err != nil || back != ref {
		t.Errorf("Ref of its own token: got %v, %v, want %v", back, err, ref)
	}
	if _, err := k.Ref(l2, ref.Token()); !errors.Is(err, reactor.ErrForeign) {
		t.Errorf("Ref of another loop's token: got %v, want ErrForeign", err)
	}
	few := kind(t, "few", reactor.Options{}, reactor.Table[empty, reactor.None]{
		{}, {Name: "first", Within: fsm.After(time.Hour, fsm.Stop)}})
	if _, err := few.Ref(l, ref.Token()); !errors.Is(err, reactor.ErrOtherKind) || !strings.Contains(fmt.Sprint(err), "walker") {
		t.Errorf("Ref of another kind's token: got %v, want ErrOtherKind that names walker", err)
	}
	d.send(ref, fsm.Stop)
	if _, err := k.Ref(l, ref.Token()); !errors.Is(err, reactor.ErrStale) {
		t.Errorf("Ref of a machine that ended: got %v, want ErrStale", err)
	}
	for _, token := range []reactor.Token{0, ^reactor.Token(0)} {
		if _, err := k.Ref(l, token); err == nil {
			t.Errorf("Ref of token %v: got no error, want one", token)
		}
	}
}
