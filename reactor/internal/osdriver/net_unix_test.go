//go:build unix

package osdriver

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stator-go/stator/reactor/driver"
)

// Of a path that the kernel would only call an invalid argument, the error says why.
func TestUnixNames(t *testing.T) {
	d := testDriver(t)
	long := driver.Addr{Net: driver.Unix, Path: t.TempDir() + "/" + strings.Repeat("x", maxPath)}
	_, listened := d.Listen(long, driver.SocketOptions{})
	_, _, connected := d.Connect(long, driver.SocketOptions{})
	for _, err := range []error{listened, connected} {
		if err == nil || !strings.Contains(err.Error(), "want at most") {
			t.Errorf("a path of %d bytes: %v: want how long one may be", len(long.Path), err)
		}
	}
	s, err := d.Listen(driver.Addr{Net: driver.Unix, Path: "@stator-test-name"}, driver.SocketOptions{})
	if abstractNames {
		err = errors.Join(err, d.Close(s))
	} else if errors.Is(err, driver.ErrUnsupported) {
		err = nil
	}
	if err != nil {
		t.Errorf("an abstract name, supported %v: %v", abstractNames, err)
	}
}

// Where the system does not spread connections over listeners, ReusePort is unsupported.
func TestSharedListeners(t *testing.T) {
	d := testDriver(t)
	s, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{ReusePort: true})
	if reusePortOption == 0 {
		if !errors.Is(err, driver.ErrUnsupported) {
			t.Errorf("%v: want ErrUnsupported", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	d.Close(s)
}
