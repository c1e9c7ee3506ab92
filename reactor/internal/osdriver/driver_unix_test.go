//go:build unix

package osdriver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// testDriver returns a driver without a loop.
func testDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.End() })
	return d
}

// testConnection returns both ends of a TCP connection, which are the driver's.
func testConnection(t testing.TB, d *Driver) (dialled, accepted driver.Sock) {
	t.Helper()
	l, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(l) })
	at, err := d.Addr(l, driver.Local)
	if err != nil {
		t.Fatal(err)
	}
	if dialled, _, err = d.Connect(at, driver.SocketOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(dialled) })
	for until := time.Now().Add(10 * time.Second); accepted == 0 && time.Now().Before(until); {
		if accepted, _, err = d.Accept(l); err != nil {
			t.Fatal(err)
		}
	}
	if accepted == 0 {
		t.Fatal("no connection")
	}
	t.Cleanup(func() { d.Close(accepted) })
	return dialled, accepted
}

// A poller that keeps a table by number may take the next socket of a number for the one
// that was closed: Close removes a socket from the poller.
func TestCloseIsTheEndOfWatching(t *testing.T) {
	d := testDriver(t)
	if d.edgeTriggered {
		t.Skip("the kernel has the table, and forgets what is closed")
	}
	s, err := d.Bind(driver.Addr{Net: driver.UDP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const data = 1<<32 | 5
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	fd := int(d.sockets[s].fd)
	if err := d.Close(s); err != nil {
		t.Fatal(err)
	}
	if err := d.poller.Rearm(fd, data, poll.Readable|poll.Edge); err == nil {
		t.Error("the poller still has the closed socket")
	}
}
