package osdriver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// testConnection returns both ends of a TCP connection, which are the driver's.
func testConnection(t *testing.T, d *Driver) (a, b driver.Sock) {
	t.Helper()
	l, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := d.Addr(l, driver.Local)
	if err != nil {
		t.Fatal(err)
	}
	if a, _, err = d.Connect(at, driver.SocketOptions{}); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); b == 0 && time.Now().Before(until); {
		if b, _, err = d.Accept(l); err != nil {
			t.Fatal(err)
		}
	}
	d.Close(l)
	if b == 0 {
		t.Fatal("no connection")
	}
	return a, b
}
