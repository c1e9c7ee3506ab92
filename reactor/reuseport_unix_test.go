//go:build unix

package reactor_test

import (
	"net"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Loops with Options.ReusePort listen on one address, and each gets connections.
func TestSharedAddress(t *testing.T) {
	k := netKind(t, reactor.Options{ReusePort: true}, reactor.Row[struct{}, reactor.None]{
		Wait:    port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State { return fsm.Stay },
	})
	first, second := netLoop(t, reactor.Config{}), netLoop(t, reactor.Config{})
	n, err := k.Listen(first, "tcp", "127.0.0.1:0", struct{}{})
	unsupported(t, err)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Listen(second, "tcp", n.String(), struct{}{}); err != nil {
		t.Fatal(err)
	}
	for range 64 { // the chance that one loop gets all of them is 1 in 2⁶³
		c, err := net.Dial("tcp", n.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	eventually(t, "all are accepted", func() bool { return stats(t, first).Accepted+stats(t, second).Accepted == 64 })
	if a, b := stats(t, first).Accepted, stats(t, second).Accepted; a == 0 || b == 0 {
		t.Errorf("got %d and %d connections, want some for each loop", a, b)
	}
}
