//go:build unix

package osdriver

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// A network interface whose queue is full tells nobody when it is not: the datagram's
// socket is told of by time. Streams keep the error.
func TestNoBufferSpace(t *testing.T) {
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	const data = 1<<32 | 5
	s, err := d.Bind(driver.Addr{Net: driver.UDP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(s)
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for range 2 {
			if n, flow, err := d.wrote(s, -1, 10, syscall.ENOBUFS); n != 0 || flow != driver.WriteBlocked || err != nil {
				t.Fatal(n, flow, err)
			}
		}
		var evs [4]poll.Event
		n, until := 0, d.Now()+int64(10*time.Second)
		for n == 0 && d.Now() < until {
			if n, err = d.Wait(evs[:], until); err != nil {
				t.Fatal(err)
			}
		}
		if n != 1 || evs[0] != (poll.Event{Token: data, Ready: poll.Writable}) {
			t.Fatalf("%v", evs[:n])
		}
	}
	d.rows[s].nature = tcpStream
	if _, flow, err := d.wrote(s, -1, 10, syscall.ENOBUFS); flow != driver.BothEnded || err != syscall.ENOBUFS {
		t.Error(flow, err)
	}
	d.rows[s].nature = inetDatagram
}
