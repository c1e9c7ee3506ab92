package osdriver

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Datagrams between two sockets of the driver, as package net's do not work under Wine.
func TestDatagramsOfTheDriver(t *testing.T) {
	d, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	var socks [2]driver.Sock
	var names [2]driver.Addr
	for i := range socks {
		if socks[i], err = d.Bind(driver.Addr{Net: driver.UDP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{}); err != nil {
			t.Fatal(err)
		}
		defer d.Close(socks[i])
		if names[i], err = d.Addr(socks[i], driver.Local); err != nil {
			t.Fatal(err)
		}
		if err := d.Register(socks[i], driver.EventData(i+1)<<33); err != nil {
			t.Fatal(err)
		}
	}
	a, b := socks[0], socks[1]
	receive := func(size int) string {
		t.Helper()
		buf := make([]byte, size)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			n, from, flow, err := d.Recv(b, buf)
			if err != nil {
				t.Fatal(err)
			}
			if flow&driver.ReadBlocked == 0 {
				if from != names[0] {
					t.Fatalf("from %v: want %v", from, names[0])
				}
				return string(buf[:n])
			}
			var dst [4]poll.Event
			d.Wait(dst[:], d.Now()+int64(time.Second))
		}
		t.Fatal("nothing came")
		return ""
	}
	for _, s := range []string{"", "datagram", "longer than the buffer", "after it"} {
		if n, flow, err := d.Send(a, []byte(s), names[1]); n != len(s) || flow != 0 || err != nil {
			t.Fatalf("send %q: %d, %v, %v", s, n, flow, err)
		}
		if got, want := receive(8), s[:min(8, len(s))]; got != want {
			t.Errorf("received %q: want %q", got, want)
		}
	}
	if _, _, err := d.Send(a, make([]byte, 1<<17), names[1]); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("a datagram of 128 KiB: %v: want %v", err, syscall.EMSGSIZE)
	}
	toIPv6 := driver.Addr{Net: driver.UDP, IP: netip.MustParseAddrPort("[::1]:1")}
	if _, _, err := d.Send(a, nil, toIPv6); !errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Errorf("an IPv6 address on an IPv4 socket: %v: want %v", err, syscall.EAFNOSUPPORT)
	}
}

// A send that fails is made again only if the error is that of an earlier datagram: an error
// that is returned each time would hold up the loop for ever.
func TestEarlierErrors(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		windows.WSAECONNRESET:   true,
		windows.WSAENETRESET:    true,
		windows.WSAENETUNREACH:  false,
		windows.WSAEHOSTUNREACH: false,
		windows.WSAEACCES:       false,
	} {
		if got := isEarlierSendError(errno); got != want {
			t.Errorf("%v: earlier %v: want %v", errno, got, want)
		}
	}
}
