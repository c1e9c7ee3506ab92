//go:build unix || windows

package reactor_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// What tests over real sockets share.

// port0 and port1 are the ports of the machines under test.
const port0, port1 reactor.Port = 0, 1

type netCx = reactor.Context[reactor.None]

// netLoop makes a loop that runs until the test ends.
func netLoop(t testing.TB, cfg reactor.Config) *reactor.Loop {
	t.Helper()
	if cfg.Slots == 0 {
		cfg.Slots = 256
	}
	l, err := reactor.NewLoop(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := await(t, "Run", ended); err != nil && err != context.Canceled {
			t.Errorf("Run: got %v, want nil or %v", err, context.Canceled)
		}
	})
	return l
}

// netListen makes a kind listen on a port of 127.0.0.1.
func netListen[M, Msg any](t testing.TB, l *reactor.Loop, k *reactor.Kind[M, Msg], m M) *reactor.Listener {
	t.Helper()
	n, err := k.Listen(l, "tcp", "127.0.0.1:0", m)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// netDial connects to a listener.
func netDial(t testing.TB, n *reactor.Listener) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(n.Addr))
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c
}

// netPair returns both ends of a connection of package net.
func netPair(t testing.TB) (c, peer net.Conn) {
	t.Helper()
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if peer, err = net.Dial("tcp", n.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	peer.SetDeadline(time.Now().Add(patience))
	if c, err = n.Accept(); err != nil {
		t.Fatal(err)
	}
	return c, peer
}

// netDialUDP returns a socket of package net that is connected to a datagram port.
func netDialUDP(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// netKind makes a kind of one state.
func netKind[M any](t testing.TB, opt reactor.Options, row reactor.Row[M, reactor.None]) *reactor.Kind[M, reactor.None] {
	t.Helper()
	row.Name = "one"
	if row.Idle == (fsm.Deadline{}) && row.Within == (fsm.Deadline{}) {
		row.Idle = fsm.Never
	}
	return netTable(t, opt, reactor.Table[M, reactor.None]{{Shutdown: fsm.Stop}, row})
}

// netTable makes a kind with one port, unless the options say otherwise.
func netTable[M any](t testing.TB, opt reactor.Options, rows reactor.Table[M, reactor.None]) *reactor.Kind[M, reactor.None] {
	t.Helper()
	if opt.Ports == nil {
		opt.Ports = []string{"peer"}
	}
	k, err := reactor.NewKind(t.Name(), opt, rows)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// netBytes returns random bytes.
func netBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	r.Read(b)
	return b
}

// netEcho sends b in random pieces, and checks that all of it comes back, and then the
// end.
func netEcho(t testing.TB, c *net.TCPConn, b []byte) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		r := rand.New(rand.NewPCG(1, 2))
		for left := b; len(left) > 0; {
			n := min(len(left), 1+r.IntN(1<<r.IntN(18)))
			if _, err := c.Write(left[:n]); err != nil {
				t.Error(err)
				return
			}
			left = left[n:]
		}
		c.CloseWrite()
	})
	got := netReadAll(t, c)
	wg.Wait()
	netSame(t, got, b)
}

// netReadAll reads to the end in random pieces.
func netReadAll(t testing.TB, c io.Reader) (got []byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 128<<10)
	for {
		n, err := c.Read(b[:1+r.IntN(1<<r.IntN(18))])
		got = append(got, b[:n]...)
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Errorf("a read after %d bytes: got %v, want io.EOF at the end", len(got), err)
			return got
		}
	}
}

// netSame compares bytes.
func netSame(t testing.TB, got, want []byte) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("byte %d of %d: got %#x, want %#x", i, len(want), got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d bytes, want %d", len(got), len(want))
	}
}

// netReset closes a connection so that its peer sees a reset.
func netReset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

// netDialNarrow dials with a small receive buffer: the kernels hold little of what
// is not read.
func netDialNarrow(t testing.TB, n *reactor.Listener) *net.TCPConn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		raw.Control(func(fd uintptr) { err = narrow(fd, 64<<10) })
		return err
	}}
	c, err := d.Dial("tcp", n.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// echoing makes a kind that echoes until the end.
func echoing(t testing.TB, opt reactor.Options) *reactor.Kind[struct{}, reactor.None] {
	return netKind(t, opt, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			_, err := cx.Copy(port0, port0)
			return cx.Fail(err)
		},
	})
}

// ping sends a byte and waits for it.
func ping(t testing.TB, c net.Conn) {
	t.Helper()
	b := []byte{42}
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	b[0] = 0
	if _, err := c.Read(b); err != nil || b[0] != 42 {
		t.Fatalf("ping: got %v, %v, want %v", b, err, []byte{42})
	}
}
