package reactor_test

import (
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// What one machine's input costs the others.

// greedy reads all that there is, and notes each call.
type greedy struct{ log *journal }

func greedyKind(t testing.TB) *reactor.Kind[greedy, reactor.None] {
	return kind(t, "greedy", reactor.Options{Ports: []string{"peer"}}, reactor.Table[greedy, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop},
		idle: {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: func(g *greedy, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
			in, err := cx.Peek(0)
			if err != nil {
				return cx.Fail(err)
			}
			g.log.add(string(in[:1]))
			cx.Discard(0, len(in))
			return fsm.Stay
		}},
	})
}

// Machines with much input share the bytes of a turn: one with little does not wait until
// they have read all of theirs.
func TestBytesOfATurnAreShared(t *testing.T) {
	const bulk, pieces = 40, 30 // 32 calls in a turn would read it all
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := greedyKind(t)
	var sockets []*fakedriver.Socket
	for range bulk {
		s, _ := adopt(d, l, k, greedy{log})
		sockets = append(sockets, s)
	}
	small, _ := adopt(d, l, k, greedy{log})
	piece := bytesOf(64 * kib)
	d.Do(func() {
		for _, s := range sockets {
			for range pieces {
				s.In = append(s.In, []byte(piece))
			}
			s.Event(poll.Readable)
		}
		small.In = append(small.In, []byte("s"))
		small.Event(poll.Readable)
	})
	calls := log.drain()
	if len(calls) != bulk*pieces+1 {
		t.Fatalf("got %d calls, want %d", len(calls), bulk*pieces+1)
	}
	for i, c := range calls {
		if c == "s" {
			if most := bulk * 2; i > most { // 128 KiB each
				t.Errorf("got the small machine's call after %d others, want %d at most", i, most)
			}
			return
		}
	}
}

// A machine that has stopped drops a bounded part of what its peer goes on sending, and then
// resets it.
func TestStoppedMachineDropsABoundedPart(t *testing.T) {
	const pieces = 100
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "stopping", reactor.Options{Ports: []string{"peer"}, Linger: time.Minute}, reactor.Table[greedy, reactor.None]{
		{}, {Name: "idle", Within: fsm.Never, Wait: reactor.Port(0).Readable(), OnReady: func(_ *greedy, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
			var b [10]byte
			if _, err := cx.Read(0, b[:]); err != nil {
				return cx.Fail(err)
			}
			cx.Write(0, []byte("no"))
			return fsm.Stop
		}}})
	s, _ := adopt(d, l, k, greedy{log})
	d.Do(func() {
		for range pieces {
			s.In = append(s.In, make([]byte, 64*kib))
		}
		s.Event(poll.Readable)
	})
	for range 100 {
		if s.Closed() {
			break
		}
		d.Advance(time.Second)
	}
	if got := s.Written(); got != "no" {
		t.Errorf("got %q written, want %q", got, "no")
	}
	if read := pieces - s.Unread(); !s.Closed() || read > 6 {
		t.Errorf("got closed %v after %d pieces of 64 KiB, want true after 6 at most", s.Closed(), read)
	}
}
