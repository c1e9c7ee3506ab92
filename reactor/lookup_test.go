//go:build unix || windows

package reactor_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// However many dials wait for a name server that does not answer, Config.Lookups of them
// use descriptors and goroutines.
func TestLookupsAreBounded(t *testing.T) {
	const dials = 3_000
	for _, c := range []struct{ limit, most int }{{0, 64}, {3, 3}} {
		s := newNameServer(t)
		s.silent = make(chan struct{})
		l := netLoop(t, reactor.Config{Slots: dials, Lookups: c.limit})
		k := dialers(t, reactor.Options{})
		for n := range dials {
			spawn(t, l, k, dialer{"tcp", fmt.Sprintf("n%d.test.:80", n), time.Minute, "", nil})
		}
		eventually(t, "each look-up has asked for two addresses", func() bool { now, _ := s.connections(); return now == 2*c.most })
		if got := stats(t, l); got.LookupsWaiting != dials-c.most || got.LookupWaits != dials-uint64(c.most) {
			t.Errorf("got %d dials that wait, %d that have waited, want %d", got.LookupsWaiting, got.LookupWaits, dials-c.most)
		}
		time.Sleep(20 * time.Millisecond)
		if _, most := s.connections(); most != 2*c.most {
			t.Errorf("got %d connections to the name server, want %d", most, 2*c.most)
		}
		l.Close()
		close(s.silent)
		eventually(t, "no look-up runs", func() bool { now, _ := s.connections(); return now == 0 })
		if n := len(s.names()); n > 2*2*c.most { // package net asks again after an answer without addresses
			t.Errorf("got %d questions, want %d at most, as all machines had ended", n, 2*2*c.most)
		}
	}
}

// A dial that waits for its look-up goes with its machine; the others keep their order.
func TestQueuedLookupsKeepTheirOrder(t *testing.T) {
	const dials = 12
	s := newNameServer(t, "127.0.0.1")
	s.silent = make(chan struct{})
	d := newFake(t)
	tried := newAttempts(d)
	l := d.start(reactor.Config{Lookups: 1})
	k := kind(t, "dialer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[dialer, order]{
		{OnMessage: func(m *dialer, cx *watchCx, do *order) reactor.State { return (*do)(cx) }},
		{Name: "dialling", Wait: port0.Opened(), Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(1),
			OnEnter: func(m *dialer, cx *watchCx) reactor.State {
				cx.Close(port0)
				return cx.Fail(cx.Dial(port0, m.network, m.addr))
			},
			OnReady: func(*dialer, *watchCx, reactor.Ready) reactor.State { return fsm.Stay }},
	})
	var refs []reactor.Ref[order]
	for n := range dials {
		refs = append(refs, spawn(t, l, k, dialer{network: "tcp4", addr: fmt.Sprintf("n%d.test.:80", n)}))
	}
	eventually(t, "the first look-up", func() bool { return len(s.names()) == 1 })
	does(t, d, refs[0], ending(nil)) // its look-up goes on
	for _, n := range []int{1, 5, 6, 11} {
		does(t, d, refs[n], ending(nil))
	}
	does(t, d, refs[3], func(*watchCx) reactor.State { return 1 }) // it dials again
	if got := stats(t, l); got.LookupsWaiting != 7 {
		t.Errorf("got %d dials that wait, want 7", got.LookupsWaiting)
	}
	close(s.silent)
	tried.wait(t, 7)
	want := []string{"n0.test.", "n2.test.", "n4.test.", "n7.test.", "n8.test.", "n9.test.", "n10.test.", "n3.test."}
	if got := s.names(); !slices.Equal(got, want) {
		t.Errorf("got questions for %v, want %v", got, want)
	}
	if got := stats(t, l); got.LookupsWaiting != 0 {
		t.Errorf("got %d dials that wait, want none", got.LookupsWaiting)
	}
}

// A name without addresses fails a state that waits for input, though no input came first.
func TestFailedLookupWhileReading(t *testing.T) {
	newNameServer(t)
	ended := newEnds()
	k := kind(t, "reader", reactor.Options{Ports: []string{"peer"}, OnEnd: ended.add}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: port0.Readable(), Within: fsm.After(time.Hour, fsm.Stop), Fail: fsm.Stop,
			OnEnter: func(_ *struct{}, cx *netCx) fsm.State { return cx.Fail(cx.Dial(port0, "tcp", "some.test.:80")) },
			OnReady: func(*struct{}, *netCx, reactor.Ready) fsm.State { return fsm.Stop }},
	})
	spawn(t, newFake(t).start(reactor.Config{Slots: 1}), k, struct{}{})
	var unknown *net.DNSError
	if err := ended.next(t); !errors.As(err, &unknown) {
		t.Errorf("got %v, want a DNSError", err)
	}
}

// A name is not looked up on a loop's goroutine: the name server here would never answer.
func TestListenByNameInAHandler(t *testing.T) {
	s := newNameServer(t)
	s.silent = make(chan struct{})
	defer close(s.silent)
	l, k := netLoop(t, reactor.Config{}), netListener(t)
	told := make(chan error, 4)
	asker := watchers(t)
	ref := spawn(t, l, asker, watcher{})
	if err := ref.Send(func(cx *watchCx) reactor.State {
		_, err := k.Listen(cx, "tcp", "some.test.:0", struct{}{})
		told <- err
		_, err = k.Listen(l, "udp", "some.test.:0", struct{}{})
		told <- err
		_, err = k.Listen(cx, "tcp", "127.0.0.1:0", struct{}{})
		told <- err
		return fsm.Stay
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{reactor.ErrInHandler, reactor.ErrInHandler, nil} {
		if err := await(t, "Listen", told); !errors.Is(err, want) {
			t.Errorf("Listen in a handler: got %v, want %v", err, want)
		}
	}
	if asked := s.names(); len(asked) > 0 {
		t.Errorf("got questions for %v, want none", asked)
	}
	if n, err := k.Listen(l, "tcp", "localhost:0", struct{}{}); err != nil || !n.Addr.Addr().IsLoopback() {
		t.Errorf("Listen outside of a handler: got %v, %v, want a loopback address", n, err)
	}
}

// netListener is a kind that may listen.
func netListener(t testing.TB) *reactor.Kind[struct{}, reactor.None] {
	return netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State { return fsm.Stop }})
}
