//go:build unix

package osdriver

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// A socket that the system gives the very port that it connects to is connected to itself.
// Nothing listens there: FinishConnect says so.
func TestConnectionToItselfIsRefused(t *testing.T) {
	d := testDriver(t)
	fd, err := newSocket(unix.AF_INET, unix.SOCK_STREAM)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, at); err != nil && err != unix.EINPROGRESS {
		t.Skip("the system does not connect a socket to itself:", err)
	}
	s, err := d.add(descriptor(fd), tcpStream, connecting)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(s)
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

// Dials to a port of the range from which the system chooses, where nothing listens, are
// refused, and none of datagrams sends to itself.
func TestConnectDoesNotFindItself(t *testing.T) {
	d := testDriver(t)
	for network, tries := range map[driver.Net]int{driver.TCP: 20_000, driver.UDP: 60_000} {
		// Linux's connect gives even ports, its bind odd ones.
		b, err := d.Bind(driver.Addr{Net: driver.UDP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
		if err != nil {
			t.Fatal(err)
		}
		at, err := d.Addr(b, driver.Local)
		if err != nil {
			t.Fatal(err)
		}
		d.Close(b)
		to := driver.Addr{Net: network, IP: netip.AddrPortFrom(at.IP.Addr(), at.IP.Port()&^1)}
		for range tries {
			s, flow, err := d.Connect(to, driver.SocketOptions{})
			for until := time.Now().Add(5 * time.Second); err == nil && flow&driver.WriteBlocked != 0 && time.Now().Before(until); {
				flow, err = d.FinishConnect(s)
			}
			if err == nil {
				local, _ := d.Addr(s, driver.Local)
				if local.IP == to.IP {
					t.Fatalf("network %d: connected to itself", network)
				}
			} else if !errors.Is(err, driver.ErrRefused) {
				t.Fatal(err)
			}
			if s != 0 {
				d.Close(s)
			}
		}
	}
}
