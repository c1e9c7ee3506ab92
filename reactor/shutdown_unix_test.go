//go:build unix

package reactor_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver/drivertest"
)

// A loop that ends leaves no descriptor open, in whichever way it ends.
func TestEveryDescriptorIsClosed(t *testing.T) {
	for name, end := range map[string]func(l *reactor.Loop, cancel func()) error{
		"Close":    func(l *reactor.Loop, _ func()) error { return l.Close() },
		"Shutdown": func(l *reactor.Loop, _ func()) error { return timed(l) },
		"context":  func(_ *reactor.Loop, cancel func()) error { cancel(); return nil },
	} {
		before := descriptors(t)
		l, err := reactor.NewLoop(reactor.Config{Slots: 64})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan error, 1)
		go func() { over <- l.Run(ctx) }()
		var born atomic.Int32
		k := kind(t, "kept", reactor.Options{Ports: []string{"peer"}}, reactor.Table[empty, reactor.None]{
			fsm.Any: {OnEnter: func(*empty, *reactor.Context[reactor.None]) reactor.State { born.Add(1); return fsm.Stay }},
			idle: {Name: "idle", Within: fsm.Never, Fail: fsm.Stop, Wait: reactor.Port(0).Readable(),
				OnReady: func(*empty, *reactor.Context[reactor.None], reactor.Ready) reactor.State { return fsm.Stay }},
		})
		n, err := k.Listen(l, "tcp", "127.0.0.1:0", empty{})
		if err != nil {
			t.Fatal(err)
		}
		var clients []net.Conn
		for range 20 {
			c, err := net.Dial("tcp", n.String())
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
		}
		eventually(t, "20 machines", func() bool { return born.Load() == 20 })
		if err := end(l, cancel); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want no error, or the end of the context", name, err)
		}
		if err := await(t, "Run", over); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Run: got %v, want no error, or the end of the context", name, err)
		}
		cancel()
		for _, c := range clients {
			c.Close()
		}
		// Fewer are no fault: the garbage collector may have closed files of other tests.
		if after := descriptors(t); after > before {
			t.Errorf("%s: got %d descriptors open, want %d at most", name, after, before)
		}
	}
}

// timed shuts a loop down with little time.
func timed(l *reactor.Loop) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	return l.Shutdown(ctx)
}

// descriptors returns how many descriptors the process has open.
func descriptors(t testing.TB) int {
	t.Helper()
	n, err := drivertest.Process{}.Descriptors()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Serve with a context that has ended shuts the loop down, and returns no error.
func TestServeAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 200 { // Run and Shutdown race
		l, err := reactor.NewLoop(reactor.Config{Slots: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Serve(ctx, time.Minute); err != nil {
			t.Fatalf("Serve: got %v, want no error", err)
		}
	}
}

// ListenOn during a shutdown returns ErrClosed, and closes what it was given.
func TestListenOnDuringShutdown(t *testing.T) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	before := descriptors(t)
	l, err := reactor.NewLoop(reactor.Config{Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- l.Run(context.Background()) }()
	eventually(t, "the loop runs", func() bool { return stats(t, l).Turns > 0 })
	others := netKind(t, reactor.Options{}, reactor.Row[empty, reactor.None]{Wait: port0.Readable(),
		OnReady: func(*empty, *netCx, reactor.Ready) fsm.State { return fsm.Stop }})
	answered := make(chan error, 1)
	k := kind(t, "late", reactor.Options{}, reactor.Table[empty, reactor.None]{
		{},
		{Name: "on", Within: fsm.Never, Shutdown: 2},
		{Name: "off", Within: fsm.Never, To: fsm.To(1), OnEnter: func(_ *empty, cx *netCx) reactor.State {
			_, err := others.ListenOn(&cx.IO, n.(*net.TCPListener), empty{})
			answered <- err
			return fsm.Stop
		}},
	})
	spawn(t, l, k, empty{})
	if err := l.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: got %v, want no error", err)
	}
	if err := await(t, "Run", over); err != nil {
		t.Errorf("Run: got %v, want no error", err)
	}
	if err := await(t, "the machine's report", answered); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("ListenOn: got %v, want ErrClosed", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("got %d descriptors open, want %d", after, before)
	}
}
