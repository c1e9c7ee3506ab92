package reactor_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// releasing makes a kind that sends back what it reads, and then releases its socket to
// files.
func releasing(t *testing.T, files chan<- *os.File) *reactor.Kind[struct{}, reactor.None] {
	return netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			if n, err := cx.Copy(port0, port0); n == 0 || err != nil {
				return cx.Fail(err)
			}
			f, err := cx.Release(port0)
			if err != nil {
				return cx.Stop(err)
			}
			files <- f
			return fsm.Stop
		}})
}

// A connection of package net that is adopted and released is a socket that blocks, and
// that package net can take.
func TestAdoptAndRelease(t *testing.T) {
	files := make(chan *os.File, 1)
	c, peer := netPair(t)
	l := netLoop(t, reactor.Config{})
	if _, err := releasing(t, files).Adopt(l, c.(*net.TCPConn), struct{}{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write to a connection that was adopted: got %v, want net.ErrClosed", err)
	}
	ping(t, peer)
	f := await(t, "the machine's report", files)
	defer f.Close()
	h := windows.Handle(f.Fd())
	go func() {
		time.Sleep(5 * time.Millisecond) // so that the call below blocks: there is no event for that
		peer.Write([]byte("to a socket that blocks"))
	}()
	var b [64]byte
	buf := windows.WSABuf{Len: uint32(len(b)), Buf: &b[0]}
	var got, flags uint32
	if err := windows.WSARecv(h, &buf, 1, &got, &flags, nil, nil); err != nil || string(b[:got]) != "to a socket that blocks" {
		t.Errorf("got %q, %v, want \"to a socket that blocks\"", b[:got], err)
	}
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
	noneFailed(t, l)
	t.Run("net.FileConn", func(t *testing.T) { fileConn(t, f, peer) })
}

// Package net can take a connection that a loop accepted.
func TestReleaseToNet(t *testing.T) {
	files := make(chan *os.File, 1)
	l := netLoop(t, reactor.Config{})
	n, err := releasing(t, files).Listen(l, "tcp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	peer := netDial(t, n)
	ping(t, peer)
	f := await(t, "the machine's report", files)
	defer f.Close()
	fileConn(t, f, peer)
}

// fileConn makes package net take a socket and read what its peer writes.
func fileConn(t *testing.T, f *os.File, peer net.Conn) {
	wineLacks(t, "the call that frees a socket from a completion port, on which net.FileConn relies")
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if n, err := c.Read(b[:]); n != 1 || err != nil || b[0] != 'x' {
		t.Errorf("a Read of package net: got %d bytes of %q, %v, want 1 of \"x\"", n, b[:], err)
	}
}

// A loop takes over a listener of package net.
func TestListenOn(t *testing.T) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := netLoop(t, reactor.Config{})
	ours, err := echoing(t, reactor.Options{}).ListenOn(l, n.(*net.TCPListener), struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if ours.Addr.String() != n.Addr().String() {
		t.Errorf("got address %v, want %v", ours.Addr, n.Addr())
	}
	for range 3 {
		ping(t, netDial(t, ours))
	}
}

// A pipe is refused, and left as it was.
func TestAdoptNotPollable(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	l := netLoop(t, reactor.Config{})
	if _, err := echoing(t, reactor.Options{}).Adopt(l, r, struct{}{}); !errors.Is(err, reactor.ErrNotPollable) {
		t.Errorf("Adopt of a pipe: got %v, want %v", err, reactor.ErrNotPollable)
	}
	w.Write([]byte("x"))
	var b [1]byte
	if n, err := r.Read(b[:]); n != 1 || err != nil {
		t.Errorf("a Read of the pipe afterwards: got %d bytes, %v, want 1", n, err)
	}
	noneFailed(t, l)
}
