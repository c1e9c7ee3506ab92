package reactor

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// connection is a connection of TCP, both of whose ends are the driver's.
func connection(t *testing.T, d *osDriver) (a, b Sock) {
	t.Helper()
	l, err := d.Listen(Addr{Net: TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, Opt{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := d.Name(l, Local)
	if err != nil {
		t.Fatal(err)
	}
	if a, _, err = d.Connect(at, Opt{}); err != nil {
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
	d, err := newOSDriver(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	large := make([]byte, 3*maxIO)
	for name, write := range map[string]func(Sock) (int, Flow, error){
		"one":  func(s Sock) (int, Flow, error) { return d.Write(s, large) },
		"many": func(s Sock) (int, Flow, error) { return d.Writev(s, &Vec{B: [MaxVec][]byte{large[:10], large}, N: 2}) },
		"first": func(s Sock) (int, Flow, error) {
			return d.Writev(s, &Vec{B: [MaxVec][]byte{large, large[:10]}, N: 2})
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
