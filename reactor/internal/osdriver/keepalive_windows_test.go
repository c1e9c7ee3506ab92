package osdriver

import (
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
)

// Connections have keepalive by default, and not if it is off. The system does not say with
// which times.
func TestKeepAlive(t *testing.T) {
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	dialled, accepted := testConnection(t, d)
	defer d.Close(dialled)
	defer d.Close(accepted)
	for _, s := range []driver.Sock{dialled, accepted} {
		h := d.sockets[s].fd
		for _, k := range []driver.KeepAlive{{}, {Off: true}, {Idle: time.Minute}} {
			if k != (driver.KeepAlive{}) { // that one was set by Connect and Accept
				setKeepAlive(h, k)
			}
			on, err := windows.GetsockoptInt(h, windows.SOL_SOCKET, windows.SO_KEEPALIVE)
			if err != nil || (on == 0) != k.Off {
				t.Errorf("%+v: the option is %d, %v", k, on, err)
			}
		}
	}
}
