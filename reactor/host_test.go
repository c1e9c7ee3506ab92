package reactor_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A handler's Host is its IO: with the Loop as Host it would wait for itself.
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
				err = child.Post(&cx.IO, *to) // the child gets it before any other event
			}
			failed <- err
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
	}), reader{})
	d.send(ref, busy)
	if err := <-failed; !errors.Is(err, reactor.ErrInHandler) {
		t.Errorf("Spawn with the Loop as Host: got %v, want ErrInHandler", err)
	}
	if err := <-failed; err != nil {
		t.Errorf("Spawn with the IO as Host, and Post to the child: got %v, want no error", err)
	}
	log.want(t, "born +1 -1 +2")
}

// Handlers of two loops that call each other's loop would wait for ever: they get
// ErrInHandler.
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
			t.Errorf("a call from another loop's handler: got %v, want ErrInHandler", err)
		}
	}
}
