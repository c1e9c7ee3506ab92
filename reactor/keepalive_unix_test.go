//go:build unix

package reactor_test

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

type giving struct {
	to   string // dials this, if it is not empty
	gave chan<- *os.File
}

// A kind's KeepAlive is that of the connections that its machines dial and accept. It is on
// by default.
func TestKeepAliveOfKind(t *testing.T) {
	for _, off := range []bool{false, true} {
		k := netKind(t, reactor.Options{KeepAlive: reactor.KeepAlive{Off: off}}, reactor.Row[giving, reactor.None]{
			Wait: port0.Opened(),
			OnEnter: func(m *giving, cx *netCx) fsm.State {
				if m.to == "" {
					return fsm.Stay
				}
				return cx.Fail(cx.Dial(port0, "tcp", m.to))
			},
			OnReady: func(m *giving, cx *netCx, _ reactor.Ready) fsm.State {
				f, err := cx.Release(port0)
				m.gave <- f
				return cx.Stop(err)
			}})
		l := netLoop(t, reactor.Config{})
		gave := make(chan *os.File, 2)
		own, err := k.Listen(l, "tcp", "127.0.0.1:0", giving{gave: gave})
		if err != nil {
			t.Fatal(err)
		}
		n, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		on, err := k.ListenOn(l, n.(*net.TCPListener), giving{gave: gave})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{own.String(), on.String()} {
			if _, err := k.Spawn(l, giving{to: at, gave: gave}); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the one that was dialled, and the one that was accepted
				f := await(t, "a report", gave)
				n, err := unix.GetsockoptInt(int(f.Fd()), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
				if err != nil || (n == 0) != off {
					t.Errorf("Off %v: the option is %d, %v", off, n, err)
				}
				defer f.Close()
			}
		}
	}
}

func TestKeepAliveBounds(t *testing.T) {
	for _, k := range []reactor.KeepAlive{{Idle: -1}, {Interval: 24 * time.Hour}, {Count: 128}} {
		_, err := reactor.NewKind("k", reactor.Options{KeepAlive: k}, reactor.Table[empty, reactor.None]{
			{}, {Name: "s", Within: fsm.After(time.Second, fsm.Stop)}})
		if err == nil || !strings.Contains(err.Error(), "KeepAlive") {
			t.Errorf("%+v: %v: want an error that names it", k, err)
		}
	}
}
