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

// releasing is a kind that sends back what it reads, and then gives its socket to files.
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

// A connection of package net goes to a machine, its bytes come back, and the machine
// gives it out again as a socket that blocks, and which package net takes back.
func TestAdoptAndRelease(t *testing.T) {
	files := make(chan *os.File, 1)
	c, peer := netPair(t)
	l := netLoop(t, reactor.Config{})
	if _, err := releasing(t, files).Adopt(l, c.(*net.TCPConn), struct{}{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the adopted connection still writes: %v", err)
	}
	ping(t, peer)
	f := netTake(t, files)
	defer f.Close()
	h := windows.Handle(f.Fd())
	go func() {
		time.Sleep(5 * time.Millisecond)
		peer.Write([]byte("to a socket that blocks"))
	}()
	var b [64]byte
	buf := windows.WSABuf{Len: uint32(len(b)), Buf: &b[0]}
	var got, flags uint32
	if err := windows.WSARecv(h, &buf, 1, &got, &flags, nil, nil); err != nil || string(b[:got]) != "to a socket that blocks" {
		t.Errorf("%q, %v", b[:got], err)
	}
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
	netEmpty(t, l)
	t.Run("net.FileConn", func(t *testing.T) { fileConn(t, f, peer) })
}

// A connection that the loop accepted becomes package net's.
func TestReleaseToNet(t *testing.T) {
	files := make(chan *os.File, 1)
	l := netLoop(t, reactor.Config{})
	n, err := releasing(t, files).Listen(l, "tcp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	peer := netDial(t, n)
	ping(t, peer)
	f := netTake(t, files)
	defer f.Close()
	fileConn(t, f, peer)
}

// fileConn has package net take a socket, and read what its peer writes.
func fileConn(t *testing.T, f *os.File, peer net.Conn) {
	wineLacks(t, "the call that frees a socket from a completion port, on which net.FileConn relies")
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(netPatience))
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if n, err := c.Read(b[:]); n != 1 || err != nil || b[0] != 'x' {
		t.Errorf("package net read %d of %q, %v", n, b[:], err)
	}
}

// A listener of package net serves on, as the loop's.
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
		t.Errorf("listening on %v: want %v", ours.Addr, n.Addr())
	}
	for range 3 {
		ping(t, netDial(t, ours))
	}
}

// A pipe and a file are refused, and left as they were.
func TestAdoptNotPollable(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	l := netLoop(t, reactor.Config{})
	if _, err := echoing(t, reactor.Options{}).Adopt(l, r, struct{}{}); !errors.Is(err, reactor.ErrNotPollable) {
		t.Errorf("a pipe: %v: want %v", err, reactor.ErrNotPollable)
	}
	w.Write([]byte("x"))
	var b [1]byte
	if n, err := r.Read(b[:]); n != 1 || err != nil {
		t.Errorf("the pipe afterwards: %d, %v", n, err)
	}
	netEmpty(t, l)
}
