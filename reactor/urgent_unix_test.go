//go:build unix

package reactor_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// An urgent byte ends a read early. The bytes behind it are read without another event.
func TestUrgentByteHidesNothing(t *testing.T) {
	for _, pause := range []time.Duration{0, 2 * time.Millisecond} {
		got := make(chan string, 1)
		k := netKind(t, reactor.Options{}, reactor.Row[bytes.Buffer, reactor.None]{
			Wait: port0.Readable(),
			OnReady: func(m *bytes.Buffer, cx *netCx, _ reactor.Ready) fsm.State {
				var b [64]byte
				n, err := cx.Read(port0, b[:])
				if m.Write(b[:n]); n > 0 && m.Len() == 6 {
					got <- m.String()
				}
				return cx.Fail(err)
			},
		})
		c := netDial(t, netListen(t, netLoop(t, reactor.Config{}), k, bytes.Buffer{}))
		netControl(t, c, func(fd int) error {
			unix.Sendto(fd, []byte("abc"), 0, nil)
			unix.Sendto(fd, []byte("!"), unix.MSG_OOB, nil)
			time.Sleep(pause) // so that the last bytes come in one event with the others, or not
			return unix.Sendto(fd, []byte("def"), 0, nil)
		})
		if s := await(t, "the machine's report", got); s != "abcdef" {
			t.Errorf("got %q, want \"abcdef\"", s)
		}
	}
}

// netControl makes a system call on a connection's descriptor.
func netControl(t testing.TB, c *net.TCPConn, f func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		if e := raw.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
			err = e
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
