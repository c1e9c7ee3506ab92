package reactor_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// What a machine waits for must reach it: no lost wake-up.

// A machine leaves its input until its output is sent. It is sent at the end of the
// turn, without an event.
func TestDrainedReachesAMachineThatDeclined(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	s := d.NewSocket()
	s.In = [][]byte{[]byte("request")}
	port := reactor.Port(0)
	k := readers(t, reactor.Options{}, port.Readable()|port.Drained())
	answered := false
	if _, err := k.Adopt(l, s.Conn(), reader{log: log, do: func(_ *reader, cx *read, what reactor.Ready) reactor.State {
		switch {
		case !answered:
			answered = true
			return cx.Fail(cx.Write(port, []byte("wait")))
		case !what.Has(port.Drained()):
			return fsm.Stay
		}
		b, err := cx.Peek(port)
		if err == nil {
			log.add(string(b))
			cx.Discard(port, len(b))
		}
		return cx.Fail(err)
	}}); err != nil {
		t.Fatal(err)
	}
	if got := s.Written(); got != "wait" {
		t.Errorf("the peer: got %q, want \"wait\"", got)
	}
	log.want(t, "request")
}

// Two ports break in one turn, in states that read neither: each error takes a Fail
// edge.
func TestPortsThatBreakTogether(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	one, two := d.NewSocket(), d.NewSocket()
	why := func(_ *empty, cx *reactor.Context[reactor.None]) reactor.State {
		log.add(cx.Cause().Error())
		return fsm.Stay
	}
	k := kind(t, "two", reactor.Options{Ports: []string{"one", "two"}}, reactor.Table[empty, reactor.None]{
		{},
		{Name: "both", Within: fsm.Never, Fail: 2, OnEnter: func(_ *empty, cx *reactor.Context[reactor.None]) reactor.State {
			return cx.Fail(errors.Join(cx.Adopt(0, one.Conn()), cx.Adopt(1, two.Conn())))
		}},
		{Name: "one", Within: fsm.Never, Fail: 3, OnEnter: why},
		{Name: "none", Within: fsm.Never, Fail: fsm.Stop, OnEnter: why},
	})
	spawn(t, l, k, empty{})
	d.Settle()
	d.Do(func() {
		one.Err, two.Err = errors.New("broken"), errors.New("broken, too")
		one.Event(poll.Error | poll.Readable | poll.Writable)
		two.Event(poll.Error | poll.Readable | poll.Writable)
	})
	log.want(t, "broken broken, too")
}

// A connection breaks after its handler saw the end of its input: the error takes the
// Fail edge.
func TestBreakBehindTheEnd(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "half", reactor.Options{Ports: []string{"peer"}}, reactor.Table[empty, reactor.None]{
		{},
		{Name: "reading", Within: fsm.Never, Wait: reactor.Port(0).Readable(), To: fsm.To(2),
			OnReady: func(_ *empty, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
				if _, err := cx.Peek(0); err != io.EOF {
					return cx.Fail(err)
				}
				log.add("the end")
				return 2
			}},
		{Name: "waiting", Within: fsm.Never, Fail: 3, Shutdown: fsm.Stop},
		{Name: "broken", Within: fsm.Never, Shutdown: fsm.Stop, OnEnter: func(_ *empty, cx *reactor.Context[reactor.None]) reactor.State {
			log.add(cx.Cause().Error())
			return fsm.Stay
		}},
	})
	s, _ := adopt(d, l, k, empty{})
	s.PeerHangsUp()
	log.want(t, "the end")
	d.Do(func() {
		s.Err = errors.New("reset")
		s.Event(poll.Error | poll.ReadClosed | poll.Writable)
	})
	log.want(t, "reset")
}

// The peer ends while there is no room for the replies to what it sent. They are sent
// once there is room, and then the handler sees the end.
func TestEndBehindARefusal(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	s, _ := adopt(d, l, readers(t, reactor.Options{WriteBuffer: 100}, reactor.Port(0).Readable()), reader{log: log,
		do: func(r *reader, cx *read, _ reactor.Ready) reactor.State {
			b, err := cx.Peek(0)
			if err != nil {
				if err != reactor.ErrWouldBlock {
					r.log.add(err.Error())
				}
				return cx.Fail(err)
			}
			if cx.Write(0, make([]byte, 60)) == nil {
				r.log.add(string(b[:1]))
				cx.Discard(0, 1)
			}
			return fsm.Stay
		}})
	d.Do(func() { s.Room = 0 })
	s.PeerSends("123")
	s.PeerHangsUp()
	log.want(t, "1")
	s.PeerTakes(60)
	log.want(t, "2")
	s.PeerTakes(60)
	s.PeerTakes(60)
	log.want(t, "3 EOF")
}
