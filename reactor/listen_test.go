package reactor_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stator-go/stator/reactor"
)

// The error of Listen names what is wrong: the address, or the network.
func TestListenOnATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l := system(t, reactor.Config{})
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	_, err = k.Listen(l, "tcp", taken.Addr().String(), reader{})
	if !strings.Contains(fmt.Sprint(err), taken.Addr().String()) {
		t.Errorf("Listen on a taken address: got %v, want an error that names %v", err, taken.Addr())
	}
	for _, test := range []struct{ network, addr, want string }{
		{"tcp", "nonsense", "nonsense"},
		{"carrier pigeon", "127.0.0.1:1", "carrier pigeon"},
		{"tcp4", "[::1]:0", "::1"},
		{"unix", "", "unix"},
	} {
		if _, err := k.Listen(l, test.network, test.addr, reader{}); !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("Listen on %s %q: got %v, want an error that contains %q", test.network, test.addr, err, test.want)
		}
	}
}
