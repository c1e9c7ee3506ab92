package reactor_test

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

const talks reactor.Port = 0

// wordy answers each byte with more than half of its write buffer, and has nothing to do
// for the other readiness that it waits for.
type wordy struct{}

func (*wordy) ready(cx *reactor.Context[reactor.None], r reactor.Ready) reactor.State {
	if !r.Has(talks.Readable()) {
		return fsm.Stay
	}
	if _, err := cx.Peek(talks); err != nil {
		return cx.Fail(err)
	}
	cx.Discard(talks, 1)
	return cx.Fail(cx.Write(talks, make([]byte, 250)))
}

// A gate that the flush at a turn's end opens is news, also to a machine whose last
// call, for something else, did nothing.
func TestFlushOpensGateOfIdleCall(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	k := kind(t, "wordy", reactor.Options{Ports: []string{"peer"}, WriteBuffer: 300}, reactor.Table[wordy, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		{Name: "talking", Idle: fsm.Never, Wait: talks.Readable().While(talks.Room()) | talks.Opened(), OnReady: (*wordy).ready}})
	s, _ := adopt(d, l, k, wordy{})
	s.sends("abc")
	if got := len(s.got()); got != 750 {
		t.Errorf("%d bytes were written for three of input: want 750", got)
	}
}
