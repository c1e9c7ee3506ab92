package reactor_test

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// bystander is an Observer that panics when a machine moves to a state.
type bystander struct{ at reactor.State }

func (b bystander) Moved(_ reactor.Token, _ reactor.AnyKind, _, to reactor.State) {
	if to == b.at {
		panic("boom")
	}
}

func (bystander) Ended(reactor.Token, reactor.AnyKind, error) {}

// A panic in an Observer ends the machine that it was called for, and no other.
func TestPanicInObserver(t *testing.T) {
	for at, want := range map[reactor.State]reactor.Stats{
		idle: {Panics: 2}, busy: {Panics: 1, Machines: 1}, fsm.Stop: {Panics: 1, Machines: 1},
	} {
		d := newFake(t)
		l := d.start(reactor.Config{Observer: bystander{at}})
		k := walkers(t, newEnds())
		log := &journal{}
		walked := spawn(t, l, k, walker{log: log})
		spawn(t, l, k, walker{log: &journal{}})
		d.Settle()
		if at != idle {
			log.take()
			d.send(walked, at)
			log.want(t, "-1 ends") // each Exit once
		}
		if s := stats(t, l); s.Panics != want.Panics || s.Machines != want.Machines {
			t.Errorf("a panic at state %v: got %d panics and %d machines, want %d and %d", at, s.Panics, s.Machines, want.Panics, want.Machines)
		}
	}
}
