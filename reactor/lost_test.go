package reactor_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// What a machine waits for, and must not miss.

// One that declines its input until what it wrote is out: it is out when its turn
// ends, and no event tells.
func TestDrainedReachesAMachineThatDeclined(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	s := d.sock()
	s.in = [][]byte{[]byte("request")}
	port := reactor.Port(0)
	k := readers(t, reactor.Options{}, port.Readable()|port.Drained())
	answered := false
	if _, err := k.Adopt(l, fakeConn{s}, reader{log: log, do: func(_ *reader, cx *read, what reactor.Ready) reactor.State {
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
	if got := s.got(); got != "wait" {
		t.Errorf("it wrote %q", got)
	}
	log.want(t, "request")
}

// Two ports break in one batch, in states that read neither: both errors are told.
func TestPortsThatBreakTogether(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	one, two := d.sock(), d.sock()
	why := func(_ *empty, cx *reactor.Context[reactor.None]) reactor.State {
		log.add(cx.Cause().Error())
		return fsm.Stay
	}
	k := kind(t, "two", reactor.Options{Ports: []string{"one", "two"}}, reactor.Table[empty, reactor.None]{
		{},
		{Name: "both", Within: fsm.Never, Fail: 2, OnEnter: func(_ *empty, cx *reactor.Context[reactor.None]) reactor.State {
			return cx.Fail(errors.Join(cx.Adopt(0, fakeConn{one}), cx.Adopt(1, fakeConn{two})))
		}},
		{Name: "one", Within: fsm.Never, Fail: 3, OnEnter: why},
		{Name: "none", Within: fsm.Never, Fail: fsm.Stop, OnEnter: why},
	})
	spawn(t, l, k, empty{})
	d.settle()
	d.do(func() {
		one.err, two.err = errors.New("broken"), errors.New("broken, too")
		one.event(poll.Error | poll.Readable | poll.Writable)
		two.event(poll.Error | poll.Readable | poll.Writable)
	})
	log.want(t, "broken broken, too")
}

// A connection breaks behind the end of its input, which was told: its error is, too.
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
	s.hangsUp()
	log.want(t, "the end")
	d.do(func() {
		s.err = errors.New("reset")
		s.event(poll.Error | poll.ReadClosed | poll.Writable)
	})
	log.want(t, "reset")
}

// A state is entered with messages that were kept for it, while an error is to be told
// that its handler has done away with: what was kept is handed out all the same.
func TestKeptMessagesBehindAnErrorThatIsGone(t *testing.T) {
	d, log := newFake(t), &journal{}
	l := d.start(reactor.Config{})
	k := kind(t, "closer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[clerk, note]{
		fsm.Any: {Shutdown: fsm.Stop},
		idle: {Name: "idle", Within: fsm.Never, To: fsm.To(busy), OnMessage: func(_ *clerk, cx *postCx, n *note) reactor.State {
			if n.do != "go" {
				return fsm.Defer
			}
			cx.Close(0)
			return busy
		}},
		busy: {Name: "busy", Within: fsm.Never, OnMessage: (*clerk).told},
	})
	s, ref := adopt(d, l, k, clerk{log: log})
	post(t, ref, note{do: "n", num: 1})
	d.atOnce(func() {
		d.mu.Lock()
		s.err = errors.New("reset")
		s.event(poll.Error | poll.Readable | poll.Writable)
		d.mu.Unlock()
		post(t, ref, note{do: "go"})
	})
	log.want(t, "n1")
}

// The peer ends while there is no room for the answers to what it sent: they are given
// when there is, and the end is told behind them.
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
	d.do(func() { s.room = 0 })
	s.sends("123")
	s.hangsUp()
	log.want(t, "1")
	s.takes(60)
	log.want(t, "2")
	s.takes(60)
	s.takes(60)
	log.want(t, "3 EOF")
}
