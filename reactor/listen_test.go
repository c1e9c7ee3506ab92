package reactor_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stator-go/stator/reactor"
)

func TestListenOnATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l := system(t, reactor.Config{})
	k := readers(t, reactor.Options{}, reactor.Port(0).Readable())
	_, err = k.Listen(l, "tcp", taken.Addr().String(), reader{})
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("%v, want an error that names %v", err, taken.Addr())
	}
	for _, bad := range [][2]string{{"tcp", "nonsense"}, {"carrier pigeon", "127.0.0.1:1"}, {"tcp4", "[::1]:0"}, {"unix", ""}} {
		if _, err := k.Listen(l, bad[0], bad[1], reader{}); err == nil {
			t.Errorf("listening on %q", bad)
		}
	}
}
