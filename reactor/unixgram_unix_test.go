//go:build unix

package reactor_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A write to a unix datagram socket whose peer does not read waits, and keeps the
// boundaries of datagrams.
func TestUnixgram(t *testing.T) {
	path := t.TempDir() + "/"
	peer, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path + "peer", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	const total = 500
	sent := make(chan struct{}, 1)
	var blocked atomic.Int32
	type sender struct{ n int }
	k := netKind(t, reactor.Options{}, reactor.Row[sender, reactor.None]{
		Wait: port0.Writable(), Within: fsm.After(time.Minute, fsm.Stop),
		OnEnter: func(_ *sender, cx *netCx) fsm.State { return cx.Fail(cx.Dial(port0, "unixgram", path+"peer")) },
		OnReady: func(m *sender, cx *netCx, _ reactor.Ready) fsm.State {
			err := cx.Write(port0, fmt.Append(nil, m.n))
			if err == reactor.ErrWouldBlock {
				blocked.Add(1)
			}
			if err != nil {
				return cx.Fail(err)
			}
			if m.n++; m.n == total {
				sent <- struct{}{}
				return fsm.Stop
			}
			return fsm.Stay
		},
	})
	l := netLoop(t, reactor.Config{})
	if _, err := k.Spawn(l, sender{}); err != nil {
		t.Fatal(err)
	}
	peer.SetDeadline(time.Now().Add(patience))
	eventually(t, "the machine has to wait", func() bool { return blocked.Load() > 0 })
	b := make([]byte, 100)
	for i := range total {
		n, err := peer.Read(b)
		if err != nil {
			t.Fatalf("datagram %d: got %v, want no error", i, err)
		}
		if string(b[:n]) != fmt.Sprint(i) {
			t.Fatalf("datagram %d: got %q, want \"%d\"", i, b[:n], i)
		}
	}
	await(t, "the machine has sent all", sent)

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
		if got := await(t, "the machine's report", echo); got != s[:min(4, len(s))] {
			t.Errorf("got %q, want %q", got, s[:min(4, len(s))])
		}
	}
	noneFailed(t, l)
}

// forwarder copies from port 0 to a socket that it adopts as port 1.
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

// Copy keeps the boundaries of datagrams, skips empty ones, and keeps the one for which
// there is no room.
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
	var out uint64
	looks := 0 // since a datagram moved
	eventually(t, "there is no room on either side", func() bool {
		if now := stats(t, l).BytesOut; now != out {
			out, looks = now, 0
		}
		looks++
		return out > 0 && looks > 20
	})
	sink.SetReadDeadline(time.Now().Add(patience))
	for i := range all {
		var b [100]byte
		n, err := sink.Read(b[:])
		if err != nil {
			t.Fatalf("datagram %d of %d: got %v, want no error", i, all, err)
		}
		netSame(t, b[:n], bytes.Repeat([]byte{byte(i)}, 1+i%7))
	}
	noneFailed(t, l)
}
