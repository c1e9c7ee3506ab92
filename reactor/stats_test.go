package reactor_test

import (
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Longest is how long a slow handler kept all other machines waiting. A loop that
// sleeps takes no long turn.
func TestLongestTurn(t *testing.T) {
	const slow = 30 * time.Millisecond
	d := newFake(t)
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{}, reactor.Port(0).Readable()), reader{
		do: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
			if _, err := cx.Peek(0); err != nil {
				return cx.Fail(err)
			}
			d.Pass(slow)
			return fsm.Stop
		}})
	d.Advance(time.Hour)
	if got := stats(t, l).Longest; got != 0 {
		t.Errorf("an idle loop: got a longest turn of %v, want 0", got)
	}
	s.PeerSends("x")
	if got := stats(t, l).Longest; got != slow {
		t.Errorf("a handler that takes %v: got a longest turn of %v, want the same", slow, got)
	}
}

// A handler that calls IO.Stats gets the counters that Loop.Stats returns to other
// goroutines. Outside of a call IO.Stats is the zero value.
func TestStatsInAHandler(t *testing.T) {
	d := newFake(t)
	l := d.start(reactor.Config{})
	var kept *read
	inside := make(chan reactor.Stats, 1)
	k := kind(t, "counter", reactor.Options{Ports: []string{"peer"}}, reactor.Table[reader, reactor.State]{
		fsm.Any: {Shutdown: fsm.Stop, OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
			kept = cx
			inside <- cx.Stats()
			return fsm.Stay
		}},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: func(_ *reader, cx *read, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(0)
			if err != nil {
				return cx.Fail(err)
			}
			cx.Discard(0, len(in))
			return cx.Fail(cx.Write(0, []byte("seven b")))
		}},
	})
	s, ref := adopt(d, l, k, reader{})
	s.PeerSends("five!")
	s.PeerSends("and five")
	before := stats(t, l)
	if before.BytesIn != 13 || before.BytesOut != 14 || before.Machines != 1 {
		t.Errorf("got %d bytes in, %d out, %d machines, want 13, 14, 1", before.BytesIn, before.BytesOut, before.Machines)
	}
	d.send(ref, idle)
	got := await(t, "Stats in the handler", inside)
	want := stats(t, l)
	// The message's turn is one more, and so is that of each Loop.Stats.
	if got.Turns <= before.Turns || got.Turns >= want.Turns || got.Parks <= before.Parks || got.Parks >= want.Parks {
		t.Errorf("got %d turns and %d parks, want them between those of Loop.Stats before, %d and %d, and after, %d and %d",
			got.Turns, got.Parks, before.Turns, before.Parks, want.Turns, want.Parks)
	}
	if want.Messages != before.Messages+1 {
		t.Errorf("got %d messages after one more, want %d", want.Messages, before.Messages+1)
	}
	got.Turns, got.Parks = want.Turns, want.Parks
	if got != want {
		t.Errorf("got %+v in the handler, want %+v", got, want)
	}
	d.Do(func() { // between two turns
		if got := kept.Stats(); got != (reactor.Stats{}) {
			t.Errorf("outside of a call: got %+v, want the zero value", got)
		}
	})
}
