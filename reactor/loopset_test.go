package reactor_test

import (
	"testing"

	"github.com/stator-go/stator/reactor"
)

// A number belongs to one loop at a time, and is free again when that has ended.
func TestLoopIDs(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{ID: 77})
	if _, err := reactor.NewLoop(reactor.Config{ID: 77, Slots: 1, Driver: newFake(t)}); err == nil {
		t.Error("a second loop with ID 77: got no error, want one")
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: got %v, want no error", err)
	}
	run(t, reactor.Config{ID: 77, Driver: newFake(t)})
}
