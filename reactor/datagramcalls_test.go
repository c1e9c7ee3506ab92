package reactor_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Calls for datagrams are refused on a stream, and move nothing.
func TestDatagramCallsOnAStream(t *testing.T) {
	d, errs := newFake(t), make(chan error, 2)
	l := d.start(reactor.Config{})
	k := kind(t, "stream", reactor.Options{Ports: []string{"peer"}}, reactor.Table[reader, reactor.State]{
		fsm.Any: {Shutdown: fsm.Stop},
		idle: {Name: "idle", Within: fsm.Never, OnMessage: func(_ *reader, cx *read, _ *reactor.State) reactor.State {
			errs <- cx.SendTo(0, []byte("lost"), netip.MustParseAddrPort("127.0.0.1:1"))
			_, _, err := cx.ReadFrom(0, make([]byte, 10))
			errs <- err
			return cx.Fail(cx.Write(0, []byte("written")))
		}},
	})
	s, ref := adopt(d, l, k, reader{})
	s.PeerSends("input")
	d.send(ref, fsm.Stay)
	for range 2 {
		if err := await(t, "an error", errs); !errors.Is(err, reactor.ErrUnsupported) {
			t.Errorf("got %v, want ErrUnsupported", err)
		}
	}
	if got := s.Written(); got != "written" || s.Unread() != 1 {
		t.Errorf("got %q written and %d pieces unread, want %q and 1", got, s.Unread(), "written")
	}
}
