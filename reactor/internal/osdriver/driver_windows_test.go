package osdriver

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
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

// Winsock has no event for memory that is free again: the driver makes one, so that the loop
// tries again. The socket goes on.
func TestNoBufferSpace(t *testing.T) {
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	s, peer := testConnection(t, d)
	defer d.Close(peer)
	defer d.Close(s)
	const data = 1<<32 | 5
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	if n, flow, err := d.writeResult(s, 0, 10, windows.WSAENOBUFS); n != 0 || flow != driver.WriteBlocked || err != nil {
		t.Fatal(n, flow, err)
	}
	var evs [4]poll.Event
	for until := d.Now() + int64(10*time.Second); d.Now() < until; {
		n, err := d.Wait(evs[:], until)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range evs[:n] {
			if ev.Token == data && ev.Ready&poll.Writable != 0 {
				return
			}
		}
	}
	t.Error("no event")
}
