package osdriver

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
)

// connection is a connection of TCP, both of whose ends are the driver's.
func connection(t *testing.T, d *Driver) (a, b driver.Sock) {
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

// Winsock would take all of a send into the kernel's memory, however large.
func TestWritesAreBounded(t *testing.T) {
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	large := make([]byte, 3*maxIO)
	for name, write := range map[string]func(driver.Sock) (int, driver.Flow, error){
		"one": func(s driver.Sock) (int, driver.Flow, error) { return d.Write(s, large) },
		"many": func(s driver.Sock) (int, driver.Flow, error) {
			return d.Writev(s, &driver.Vec{B: [driver.MaxVec][]byte{large[:10], large}, N: 2})
		},
		"first": func(s driver.Sock) (int, driver.Flow, error) {
			return d.Writev(s, &driver.Vec{B: [driver.MaxVec][]byte{large, large[:10]}, N: 2})
		},
	} {
		a, b := connection(t, d)
		n, flow, err := write(a)
		if err != nil || n == 0 || n > maxIO {
			t.Errorf("%s: %d bytes, %v, %v: want at most %d", name, n, flow, err, maxIO)
		}
		if name == "many" && n != 10 {
			t.Errorf("%d bytes of many: want those that are within the bound together", n)
		}
		d.Close(a)
		d.Close(b)
	}
}

// A send that fails is made again only where the failure was an earlier one's: an error
// that comes each time would hold up the loop for ever.
func TestEarlierErrors(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		windows.WSAECONNRESET:   true,
		windows.WSAENETRESET:    true,
		windows.WSAENETUNREACH:  false,
		windows.WSAEHOSTUNREACH: false,
		windows.WSAEACCES:       false,
	} {
		if got := earlier(errno); got != want {
			t.Errorf("%v: earlier %v: want %v", errno, got, want)
		}
	}
}
