package reactor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// A machine that has stopped sends the rest of its output until Linger is over.
func TestStopFlushesWithinLinger(t *testing.T) {
	for _, flushed := range []bool{true, false} {
		d, log, ended := newFake(t), &journal{}, newEnds()
		l := d.start(reactor.Config{})
		k := readers(t, reactor.Options{Linger: 2 * time.Second, OnEnd: ended.add}, reactor.Port(0).Readable())
		s, ref := adopt(d, l, k, reader{log: log, do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			if _, err := cx.Peek(0); err != nil {
				return cx.Fail(err)
			}
			cx.Write(0, []byte("hello"))
			return fsm.Stop
		}})
		d.Do(func() { s.Room = 2 })
		s.PeerSends("x")
		if err := ended.next(t); err != nil {
			t.Errorf("got reason %v, want none", err)
		}
		if err := ref.Send(idle); !errors.Is(err, reactor.ErrStale) {
			t.Errorf("Send to a machine that has stopped: got %v, want ErrStale", err)
		}
		d.Advance(1999 * time.Millisecond)
		if s.Closed() {
			t.Fatal("got the port closed before its output is sent and before Linger is over, want it open")
		}
		if flushed {
			s.PeerTakes(100)
			s.PeerHangsUp() // a peer that ends before it has all gets the rest, and no reset
		} else {
			d.Advance(2 * time.Millisecond)
		}
		want, cut := "hello", uint64(0)
		if !flushed {
			want, cut = "he", 1
		}
		if got := s.Written(); got != want || !s.Closed() {
			t.Errorf("got %q sent and closed %t, want %q and true", got, s.Closed(), want)
		}
		if n := stats(t, l); n.Lingered != cut || n.Machines != 0 {
			t.Errorf("got %d lingered and %d machines, want %d and 0", n.Lingered, n.Machines, cut)
		}
	}
}

// A connection that is under way when its machine stops is waited for if something was
// written to it, and not otherwise.
func TestStopWhileConnecting(t *testing.T) {
	for _, test := range []struct {
		addr string
		text string
		then string // what becomes of the connection
		sent string
	}{
		{"127.0.0.1:1", "", "", ""},
		{"127.0.0.1:1", "hello", "opens", "hello"},
		{"127.0.0.1:1", "hello", "fails", ""},
		{"127.0.0.1:1", "hello", "hangs", ""},
		{"localhost:1", "hello", "opens", "hello"},
		{"localhost:1", "hello", "hangs", ""},
	} {
		d, log := newFake(t), &journal{}
		l := d.start(reactor.Config{})
		dialled := make(chan *fakedriver.Socket, 1)
		d.OnConnect = func(s *fakedriver.Socket, _ driver.Addr) (driver.Flow, error) {
			dialled <- s
			return driver.WriteBlocked, nil
		}
		ref := spawn(t, l, kind(t, "dialler", reactor.Options{Ports: []string{"peer"}, Linger: time.Second}, reactor.Table[reader, reactor.State]{
			fsm.Any: {OnExit: func(r *reader, _ *read) { r.log.add("end") },
				OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
					err := cx.Dial(0, "tcp", test.addr)
					if err == nil && test.text != "" {
						err = cx.Write(0, []byte(test.text))
					}
					return cx.Stop(err)
				}},
			idle: {Name: "idle", Within: fsm.Never, Shutdown: fsm.Stop},
		}), reader{log: log})
		d.send(ref, fsm.Stay)
		log.want(t, "end")
		s := await(t, fmt.Sprintf("%v: a call of Connect", test), dialled)
		d.Settle() // it is registered
		switch test.then {
		case "opens":
			d.Do(func() { s.Event(poll.Writable) })
		case "fails":
			d.Do(func() { s.Err = errBoom; s.Event(poll.Error) })
		case "hangs":
			d.Advance(time.Second - time.Millisecond)
			if s.Closed() {
				t.Errorf("%v: got the port closed before Linger is over, want it open", test)
			}
			d.Advance(2 * time.Millisecond)
		}
		if got := s.Written(); got != test.sent || !s.Closed() {
			t.Errorf("%v: got %q sent and closed %t, want %q and true", test, got, s.Closed(), test.sent)
		}
		if n := stats(t, l).Machines; n != 0 {
			t.Errorf("%v: got %d machines, want 0", test, n)
		}
	}
}
