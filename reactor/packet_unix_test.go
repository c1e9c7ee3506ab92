//go:build unix

package reactor_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Sockets of whole messages: one write sends what one Peek returns.

// twice makes a kind that sends each datagram back twice, by Peek.
func twice(t testing.TB) *reactor.Kind[struct{}, reactor.None] {
	return netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			in, err := cx.Peek(port0)
			for range 2 {
				if err == nil {
					err = cx.Write(port0, in)
				}
			}
			cx.Discard(port0, len(in))
			return cx.Fail(err)
		},
	})
}

// wants reads messages and compares their lengths.
func wants(t testing.TB, c net.Conn, sizes ...int) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	for _, size := range sizes {
		b := make([]byte, 1000)
		n, err := c.Read(b)
		if err != nil || n != size {
			t.Fatalf("got a message of %d bytes, %v, want %d", n, err, size)
		}
	}
}

// A connection of whole messages keeps their boundaries in both directions, and has an
// end.
func TestUnixpacket(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	path := t.TempDir() + "/packets"
	n, err := twice(t).Listen(l, "unixpacket", path, struct{}{})
	unsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unixpacket", n.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 7, 500, 2} {
		c.Write(make([]byte, size))
	}
	wants(t, c, 1, 1, 7, 7, 500, 500, 2, 2)
	if got := dialOnce(t, l, caller{network: "unixpacket", addr: path, say: "hello"}); !got.opened || got.heard != "hello" {
		t.Errorf("got %+v, want an open connection and \"hello\" back", got)
	}
	c.Close()
	eventually(t, "the machine ended with its peer", func() bool { return stats(t, l).Machines == 0 })
	noneFailed(t, l)
}

// A listener of whole messages that a loop takes over makes the same connections.
func TestUnixpacketAdoptedListener(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	path := t.TempDir() + "/packets"
	n, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EPROTOTYPE) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := twice(t).ListenOn(l, n, struct{}{}); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unixpacket", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("ab"))
	c.Write([]byte("c"))
	wants(t, c, 2, 2, 1, 1)
}

// Peek shows one datagram at a time; an empty one is not the last.
func TestPeekAtDatagrams(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	k := twice(t)
	c, peer := udpPair(t)
	to := c.LocalAddr().(*net.UDPAddr)
	for _, size := range []int{0, 3, 0, 0, 5} { // all of them before the machine reads
		if _, err := peer.WriteToUDP(make([]byte, size), to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Adopt(l, c, struct{}{}); err != nil {
		t.Fatal(err)
	}
	wants(t, peer, 3, 3, 5, 5)
	peer.WriteToUDP(nil, to)
	peer.WriteToUDP(make([]byte, 4), to)
	wants(t, peer, 4, 4)
	noneFailed(t, l)
}

// No ICMP message ends a dialled datagram port.
func TestUnreachableIsNotTheEnd(t *testing.T) {
	raw, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		t.Skipf("ICMP messages can be sent by root only: %v", os.NewSyscallError("socket", err))
	}
	defer unix.Close(raw)
	l := netLoop(t, reactor.Config{})
	c, peer := udpPair(t)
	mine := c.LocalAddr().(*net.UDPAddr)
	if _, err := twice(t).Adopt(l, c, struct{}{}); err != nil {
		t.Fatal(err)
	}
	for _, code := range []byte{1, 2, 3, 10, 13} { // host, protocol, port; forbidden host, forbidden by a filter
		m := unreachable(code, mine.Port, peer.LocalAddr().(*net.UDPAddr).Port)
		if err := unix.Sendto(raw, m, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		peer.WriteToUDP([]byte{code}, mine)
		b := make([]byte, 2)
		for range 2 {
			if n, err := peer.Read(b); err != nil || !bytes.Equal(b[:n], []byte{code}) {
				t.Fatalf("after code %d: got %v, %v, want %v", code, b[:n], err, []byte{code})
			}
		}
	}
	noneFailed(t, l)
}

// unreachable returns an ICMP message for a datagram from one port of 127.0.0.1 to
// another.
func unreachable(code byte, from, to int) []byte {
	m := append([]byte{3, code, 0, 0, 0, 0, 0, 0}, // destination unreachable
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1,
		byte(from>>8), byte(from), byte(to>>8), byte(to), 0, 8, 0, 0)
	sum := 0
	for i := 0; i < len(m); i += 2 {
		sum += int(m[i])<<8 | int(m[i+1])
	}
	sum = sum>>16 + sum&0xffff
	sum = ^(sum + sum>>16)
	m[2], m[3] = byte(sum>>8), byte(sum)
	return m
}

// packetPair returns both ends of a connection of whole messages, the machine's first.
func packetPair(t testing.TB) (machines, tests *os.File) { return adoptPair(t, unix.SOCK_SEQPACKET) }

// packetKind makes a kind that reads by ReadFrom or Read until its connection ends, and
// reports what it got.
func packetKind(t testing.TB, from bool, got chan<- string) *reactor.Kind[struct{}, reactor.None] {
	return netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [10]byte
			var n int
			var err error
			if from {
				n, _, err = cx.ReadFrom(port0, b[:])
			} else {
				n, err = cx.Read(port0, b[:])
			}
			switch {
			case err == nil:
				got <- string(b[:n])
			case err != reactor.ErrWouldBlock:
				got <- err.Error()
			}
			return cx.Fail(err)
		}})
}

// Messages that a peer sent before it closed are read before the end, or before the
// error if the peer had not read all: the kernel reports that error first.
func TestUnixpacketEnds(t *testing.T) {
	for _, from := range []bool{false, true} {
		for _, unread := range []bool{false, true} {
			l := netLoop(t, reactor.Config{})
			a, b := packetPair(t)
			b.Write([]byte("one"))
			b.Write([]byte("two"))
			want := []string{"one", "two", "EOF"}
			if unread {
				a.Write([]byte("unread"))
				want[2] = unix.ECONNRESET.Error()
			}
			b.Close()
			got := make(chan string, 1000)
			if _, err := packetKind(t, from, got).Adopt(l, a, struct{}{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range want {
				if s := await(t, "the machine's report", got); s != want {
					t.Errorf("ReadFrom %t, unread messages %t: got %q, want %q", from, unread, s, want)
				}
			}
			eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
		}
	}
}

// A peer that closes without having read all breaks the connection, also in a state that
// does not read.
func TestUnixpacketBreaks(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	a, b := packetPair(t)
	ended := newEnds()
	k := netKind(t, reactor.Options{OnEnd: ended.add}, reactor.Row[struct{}, reactor.None]{Within: fsm.Never, Fail: fsm.Stop,
		OnEnter: func(_ *struct{}, cx *netCx) fsm.State { return cx.Fail(cx.Write(port0, []byte("hello"))) }})
	if _, err := k.Adopt(l, a, struct{}{}); err != nil {
		t.Fatal(err)
	}
	raw, _ := b.SyscallConn()
	raw.Read(func(fd uintptr) bool { // until it is there
		_, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK)
		return err == nil
	})
	b.Close()
	if err := ended.next(t); err != unix.ECONNRESET {
		t.Errorf("got reason %v, want %v", err, unix.ECONNRESET)
	}
}

// A reply arrives, although the machine that sent it stopped with messages unread.
func TestUnixpacketStopWithUnreadMessages(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	a, b := packetPair(t)
	for range 5 {
		b.Write([]byte("request"))
	}
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			return cx.Stop(cx.Write(port0, []byte("enough")))
		}})
	if _, err := k.Adopt(l, a, struct{}{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the machine stopped", func() bool { return stats(t, l).BytesOut > 0 })
	c := fileConn(t, b)
	wants(t, c, 6)
	c.Close()
	b.Close()
	eventually(t, "the machine ended", func() bool { return stats(t, l).Machines == 0 })
}

// fileConn returns a net.Conn of a socket.
func fileConn(t testing.TB, f *os.File) net.Conn {
	t.Helper()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// udpPair returns a socket that is connected to its peer, and the peer, which is not
// connected.
func udpPair(t testing.TB) (c, peer *net.UDPConn) {
	t.Helper()
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	peer.SetReadDeadline(time.Now().Add(patience))
	if c, err = net.DialUDP("udp", nil, peer.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	return c, peer
}
