//go:build unix

package reactor_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A peer that reads only after it has written all it has gets what a machine wrote before
// it stopped, even if kernels can hold neither.
func TestStopTakesWhatAWriterSends(t *testing.T) {
	const size = 4 << 20
	l := netLoop(t, reactor.Config{})
	n, err := netKind(t, reactor.Options{WriteBuffer: size, Linger: time.Minute}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			if err := cx.Write(port0, make([]byte, size)); err != nil {
				return cx.Fail(err)
			}
			return fsm.Stop
		},
	}).Listen(l, "tcp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", n.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(make([]byte, 4*size)); err != nil {
		t.Fatal(err)
	}
	if got, err := io.Copy(io.Discard, c); err != nil || got != size {
		t.Errorf("got %d bytes, %v, want %d", got, err, size)
	}
}
