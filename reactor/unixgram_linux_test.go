package reactor_test

import (
	"fmt"
	"net"
	"testing"
	"time"

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
		Enter: func(_ *sender, cx *netCx) fsm.State { return cx.Fail(cx.Dial(port0, "unixgram", path+"peer")) },
		Ready: func(m *sender, cx *netCx, _ reactor.Ready) fsm.State {
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
		Ready: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
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
