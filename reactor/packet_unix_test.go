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

// Sockets with whole messages: what one write sends, one look shows.

// twice answers each datagram with two of the same, by Peek.
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

// wants reads messages of these lengths.
func wants(t testing.TB, c net.Conn, sizes ...int) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(netPatience))
	for _, size := range sizes {
		b := make([]byte, 1000)
		n, err := c.Read(b)
		if err != nil || n != size {
			t.Fatalf("a message of %d bytes, %v: want %d", n, err, size)
		}
	}
}

// A connection of whole messages keeps their bounds in both directions, and has an end.
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
		t.Errorf("%+v", got)
	}
	c.Close()
	netWait(t, "the machine ended with its peer", func() bool { return netStats(t, l).Machines == 0 })
	netEmpty(t, l)
}

// A listener of whole messages that was made elsewhere makes the same connections.
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
	for _, size := range []int{0, 3, 0, 0, 5} { // all of them before the machine looks
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
	netEmpty(t, l)
}

// An ICMP message of whatever sort is not the end of a dialled datagram port.
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
	for _, code := range []byte{1, 2, 3, 10, 13} { // host, protocol, port; two of administrators'
		m := unreachable(code, mine.Port, peer.LocalAddr().(*net.UDPAddr).Port)
		if err := unix.Sendto(raw, m, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		peer.WriteToUDP([]byte{code}, mine)
		b := make([]byte, 2)
		for range 2 {
			if n, err := peer.Read(b); err != nil || !bytes.Equal(b[:n], []byte{code}) {
				t.Fatalf("after code %d: %v, %v", code, b[:n], err)
			}
		}
	}
	netEmpty(t, l)
}

// unreachable is an ICMP message for a datagram from one port of 127.0.0.1 to another.
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

// packetPair is a machine's end of a connection of whole messages, and a test's.
func packetPair(t testing.TB) (machines, tests *os.File) { return adoptPair(t, unix.SOCK_SEQPACKET) }

// packetKind reads by ReadFrom or Read until its connection ends, and tells how.
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

// What a peer sent before its end, or before it went away from messages that it had not
// read, comes first: the kernel tells of a reset before.
func TestUnixpacketEnds(t *testing.T) {
	for _, from := range []bool{false, true} {
		for _, unread := range []bool{false, true} {
			l := netLoop(t, reactor.Config{})
			a, b := packetPair(t)
			b.Write([]byte("one"))
			b.Write([]byte("two"))
			want := []string{"one", "two", "EOF"}
			if unread {
				a.Write([]byte("nobody reads it"))
				want[2] = unix.ECONNRESET.Error()
			}
			b.Close()
			got := make(chan string, 1000)
			if _, err := packetKind(t, from, got).Adopt(l, a, struct{}{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range want {
				if s := netTake(t, got); s != want {
					t.Errorf("ReadFrom %v, unread messages %v: it got %q: want %q", from, unread, s, want)
				}
			}
			netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
		}
	}
}

// A peer that goes away from messages which it has not read breaks the connection also
// in a state that does not read.
func TestUnixpacketBreaks(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	a, b := packetPair(t)
	ended := newEnds()
	k := netKind(t, reactor.Options{OnEnd: ended.told}, reactor.Row[struct{}, reactor.None]{Within: fsm.Never, Fail: fsm.Stop,
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
		t.Errorf("it ended for %v", err)
	}
}

// An answer arrives, though the machine that sent it stopped with messages unread.
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
	netWait(t, "the machine stopped", func() bool { return netStats(t, l).BytesOut > 0 })
	c := fileConn(t, b)
	wants(t, c, 6)
	c.Close()
	b.Close()
	netWait(t, "the machine ended", func() bool { return netStats(t, l).Machines == 0 })
}

// fileConn is a net.Conn of a socket.
func fileConn(t testing.TB, f *os.File) net.Conn {
	t.Helper()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// udpPair is a socket that is connected to its peer's, which is to none.
func udpPair(t testing.TB) (c, peer *net.UDPConn) {
	t.Helper()
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	peer.SetReadDeadline(time.Now().Add(netPatience))
	if c, err = net.DialUDP("udp", nil, peer.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	return c, peer
}
