//go:build unix

package reactor

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// A network interface whose queue is full tells nobody when it is not: the datagram's
// socket is told of by time. Streams keep the error.
func TestNoBufferSpace(t *testing.T) {
	d, err := newOSDriver(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	const data = 1<<32 | 5
	s, err := d.Bind(Addr{Net: UDP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, Opt{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(s)
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for range 2 {
			if n, flow, err := d.wrote(s, -1, 10, syscall.ENOBUFS); n != 0 || flow != Full || err != nil {
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
	if _, flow, err := d.wrote(s, -1, 10, syscall.ENOBUFS); flow != Gone || err != syscall.ENOBUFS {
		t.Error(flow, err)
	}
	d.rows[s].nature = inetDatagram
}
