//go:build unix

package reactor_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver/drivertest"
)

// A loop that ends leaves no descriptor behind, however it ends.
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
		for deadline := time.Now().Add(10 * time.Second); born.Load() < 20 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if err := end(l, cancel); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		answer(t, "Run", over)
		cancel()
		for _, c := range clients {
			c.Close()
		}
		if after := descriptors(t); after != before {
			t.Errorf("%s: %d descriptors are open, %d were before", name, after, before)
		}
	}
}

func timed(l *reactor.Loop) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	return l.Shutdown(ctx)
}

func descriptors(t testing.TB) int {
	t.Helper()
	n, err := drivertest.Process{}.Descriptors()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A context that has ended before Serve begins is a shutdown like any other.
func TestServeAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 200 { // it is a race
		l, err := reactor.NewLoop(reactor.Config{Slots: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Serve(ctx, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

// A socket that comes during a shutdown is not listened on.
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
	netWait(t, "running", func() bool { return netStats(t, l).Turns > 0 })
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
		t.Error(err)
	}
	answer(t, "Run", over)
	if err := netTake(t, answered); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("ListenOn: %v", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}

// A peer that writes all it has before it reads gets what a machine wrote before it
// stopped, however much is on its way in both directions.
func TestStopTakesWhatAWriterSends(t *testing.T) {
	const size = 4 << 20
	l := netLoop(t, reactor.Config{})
	n, err := netKind(t, reactor.Options{WriteBuffer: size, Linger: time.Minute}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			if err := cx.Write(port0, make([]byte, size)); err != nil {
				return cx.Fail(err)
			}
			return fsm.Stop
		},
	}).Listen(l, "tcp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", n.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(netPatience))
	if _, err := c.Write(make([]byte, 4*size)); err != nil {
		t.Fatal(err)
	}
	if got, err := io.Copy(io.Discard, c); err != nil || got != size {
		t.Errorf("%d bytes, %v: want %d", got, err, size)
	}
}

// The statistics tell how long a handler kept all others waiting.
func TestLongestTurn(t *testing.T) {
	const slow = 30 * time.Millisecond
	l := netLoop(t, reactor.Config{})
	n, err := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			time.Sleep(slow)
			return fsm.Stop
		},
	}).Listen(l, "tcp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * slow) // that nothing happens is not a long turn
	if s := netStats(t, l); s.Longest >= slow {
		t.Errorf("an idle loop took a turn of %v", s.Longest)
	}
	c, err := net.Dial("tcp", n.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("x"))
	netWait(t, "a turn was long", func() bool { return netStats(t, l).Longest >= slow })
}
