package reactor_test

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
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
