package reactor_test

import (
	"testing"

	"github.com/stator-go/stator/reactor"
)

func TestLoopIDs(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{ID: 77})
	if _, err := reactor.NewLoop(reactor.Config{ID: 77, Slots: 1, Driver: newFake(t)}); err == nil {
		t.Error("two loops have the same number")
	}
	l.Close()
	run(t, reactor.Config{ID: 77, Driver: newFake(t)})
}
