package reactor_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A handler gives the loop work as its IO; the Loop itself would wait for itself.
func TestSpawnFromAHandler(t *testing.T) {
	d, log, ended := newFake(t), &journal{}, newEnds()
	l := d.start(reactor.Config{})
	k := walkers(t, ended)
	failed := make(chan error, 2)
	ref := spawn(t, l, kind(t, "parent", reactor.Options{}, reactor.Table[reader, reactor.State]{
		fsm.Any: {OnMessage: func(_ *reader, cx *read, to *reactor.State) reactor.State {
			_, err := k.Spawn(l, walker{log: log})
			failed <- err
			child, err := k.Spawn(&cx.IO, walker{log: log})
			if err == nil {
				err = child.Post(&cx.IO, *to) // it reaches its child before the first event does
			}
			failed <- err
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), reader{})
	d.send(ref, busy)
	if err := <-failed; !errors.Is(err, reactor.ErrInHandler) {
		t.Errorf("with the Loop as its place: %v", err)
	}
	if err := <-failed; err != nil {
		t.Errorf("with its IO: %v", err)
	}
	log.want(t, "born +1 -1 +2")
}

// Handlers of two loops that ask for each other would wait for ever: they are told.
func TestCallsFromAnotherLoopsHandler(t *testing.T) {
	var ds [2]*fake
	var ls [2]*reactor.Loop
	for i := range ls {
		ds[i] = newFake(t)
		ls[i] = ds[i].start(reactor.Config{})
		ds[i].Settle()
	}
	log, ended := &journal{}, newEnds()
	k := walkers(t, ended)
	var both sync.WaitGroup // each asks while the other one is in its handler
	both.Add(2)
	failed := make(chan error, 10)
	for i, l := range ls {
		other := ls[1-i]
		ref := spawn(t, l, kind(t, "asker", reactor.Options{}, reactor.Table[reader, reactor.State]{
			fsm.Any: {OnMessage: func(*reader, *read, *reactor.State) reactor.State {
				both.Done()
				both.Wait()
				_, err := k.Spawn(other, walker{log: log})
				failed <- err
				_, err = k.Ref(other, 1)
				failed <- err
				_, err = other.Stats()
				failed <- err
				failed <- other.Shutdown(context.Background())
				failed <- other.Close()
				return fsm.Stay
			}},
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
		}), reader{})
		if err := ref.Send(idle); err != nil {
			t.Fatal(err)
		}
	}
	for range cap(failed) {
		if err := await(t, "a call from a handler", failed); !errors.Is(err, reactor.ErrInHandler) {
			t.Errorf("%v, want ErrInHandler", err)
		}
	}
}
