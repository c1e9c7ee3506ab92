package reactor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stator-go/stator/reactor"
)

// Listen for what Windows lacks returns ErrUnsupported, with what there is.
func TestUnsupportedOptions(t *testing.T) {
	for _, c := range []struct {
		what          string
		opt           reactor.Options
		network, addr string
		want          string
	}{
		{"a unix socket", reactor.Options{}, "unix", "s", "want tcp or udp"},
		{"a unix datagram socket", reactor.Options{}, "unixgram", "s", "want tcp or udp"},
		{"listeners that share a port", reactor.Options{ReusePort: true}, "tcp", "127.0.0.1:0", "want one listener per port"},
	} {
		l := netLoop(t, reactor.Config{})
		_, err := echoing(t, c.opt).Listen(l, c.network, c.addr, struct{}{})
		if !errors.Is(err, reactor.ErrUnsupported) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %v: %s", c.what, err, reactor.ErrUnsupported, c.want)
		}
		noneFailed(t, l)
	}
}
