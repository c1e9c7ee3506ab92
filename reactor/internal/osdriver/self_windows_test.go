package osdriver

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
)

// A socket that the system gives the very port that it connects to is connected to itself.
// Nothing listens there: FinishConnect says so.
func TestConnectionToItselfIsRefused(t *testing.T) {
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	h, err := windows.WSASocket(windows.AF_INET, windows.SOCK_STREAM, windows.IPPROTO_TCP, nil, 0, windows.WSA_FLAG_OVERLAPPED)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.addSocket(h, tcpStream, connecting)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(s)
	if err := windows.Bind(h, &windows.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := windows.Getsockname(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.Connect(h, at); err != nil && err != windows.WSAEWOULDBLOCK {
		t.Skip("the system does not connect a socket to itself:", err)
	}
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		flow, err := d.FinishConnect(s)
		if flow&driver.WriteBlocked != 0 {
			continue
		}
		if !errors.Is(err, driver.ErrRefused) {
			t.Errorf("%v: want ErrRefused", err)
		}
		return
	}
	t.Error("it never connected")
}
