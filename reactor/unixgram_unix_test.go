//go:build unix

package reactor_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A unix datagram socket whose peer does not read makes the writer wait, and
// keeps the bounds of datagrams.
func TestUnixgram(t *testing.T) {
	path := t.TempDir() + "/"
	peer, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path + "peer", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	const total = 500
	sent := make(chan int, 1)
	type sender struct{ n, blocked int }
	k := netKind(t, reactor.Options{}, reactor.Row[sender, reactor.None]{
		Wait: port0.Writable(), Within: fsm.After(time.Minute, fsm.Stop),
		OnEnter: func(_ *sender, cx *netCx) fsm.State { return cx.Fail(cx.Dial(port0, "unixgram", path+"peer")) },
		OnReady: func(m *sender, cx *netCx, _ reactor.Ready) fsm.State {
			err := cx.Write(port0, fmt.Append(nil, m.n))
			if err == reactor.ErrWouldBlock {
				m.blocked++
			}
			if err != nil {
				return cx.Fail(err)
			}
			if m.n++; m.n == total {
				sent <- m.blocked
				return fsm.Stop
			}
			return fsm.Stay
		},
	})
	l := netLoop(t, reactor.Config{})
	if _, err := k.Spawn(l, sender{}); err != nil {
		t.Fatal(err)
	}
	peer.SetDeadline(time.Now().Add(netPatience))
	time.Sleep(5 * time.Millisecond)
	b := make([]byte, 100)
	for i := range total {
		n, err := peer.Read(b)
		if err != nil {
			t.Fatalf("datagram %d: %v", i, err)
		}
		if string(b[:n]) != fmt.Sprint(i) {
			t.Fatalf("datagram %d: %q", i, b[:n])
		}
	}
	if netTake(t, sent) == 0 {
		t.Error("it never had to wait")
	}

	echo := make(chan string, 4)
	n, err := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [4]byte
			n, _, err := cx.ReadFrom(port0, b[:])
			if err == nil {
				echo <- string(b[:n])
			}
			return cx.Fail(err)
		},
	}).Listen(l, "unixgram", path+"machine", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"a", "", "truncated", "b"} {
		if _, err := peer.WriteToUnix([]byte(s), &net.UnixAddr{Name: n.Path, Net: "unixgram"}); err != nil {
			t.Fatal(err)
		}
		if got := netTake(t, echo); got != s[:min(4, len(s))] {
			t.Errorf("%q: want %q", got, s)
		}
	}
	netEmpty(t, l)
}

// forwarder copies from port 0 to a socket that it takes for port 1.
type forwarder struct{ to *os.File }

func forwarders(t testing.TB) *reactor.Kind[forwarder, reactor.None] {
	return netKind(t, reactor.Options{Ports: []string{"from", "to"}}, reactor.Row[forwarder, reactor.None]{
		Wait:    port0.Readable(),
		OnEnter: func(m *forwarder, cx *netCx) fsm.State { return cx.Fail(cx.Adopt(port1, m.to)) },
		OnReady: func(_ *forwarder, cx *netCx, _ reactor.Ready) fsm.State {
			_, err := cx.Copy(port1, port0)
			return cx.Fail(err)
		},
	})
}

// Copy keeps the bounds of datagrams, passes over empty ones, and keeps the one for
// which there is no room.
func TestCopyOfDatagrams(t *testing.T) {
	l := netLoop(t, reactor.Config{})
	source, from := adoptPair(t, unix.SOCK_DGRAM)
	to, sink := adoptPair(t, unix.SOCK_DGRAM)
	if _, err := forwarders(t).Adopt(l, from, forwarder{to}); err != nil {
		t.Fatal(err)
	}
	const all = 100 // a queue has room for some ten
	go func() {
		for i := range all {
			source.Write(nil)
			source.Write(bytes.Repeat([]byte{byte(i)}, 1+i%7))
		}
	}()
	time.Sleep(50 * time.Millisecond) // until there is no room on either side
	sink.SetReadDeadline(time.Now().Add(netPatience))
	for i := range all {
		var b [100]byte
		n, err := sink.Read(b[:])
		if err != nil {
			t.Fatalf("datagram %d of %d: %v", i, all, err)
		}
		netSame(t, b[:n], bytes.Repeat([]byte{byte(i)}, 1+i%7))
	}
	netEmpty(t, l)
}
