package osdriver

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Moving bytes allocates nothing: Wait, Read until it would block, Write.
func TestDriverAllocatesNothing(t *testing.T) {
	d, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	l, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(l)
	name, err := d.Addr(l, driver.Local)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := d.Connect(name, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(a)
	var b driver.Sock
	for until := time.Now().Add(10 * time.Second); b == 0 && time.Now().Before(until); {
		if b, _, err = d.Accept(l); err != nil {
			t.Fatal(err)
		}
	}
	defer d.Close(b)
	for i, s := range []driver.Sock{a, b} {
		if err := d.Register(s, driver.EventData(i+1)<<33); err != nil {
			t.Fatal(err)
		}
	}
	text, buf, events := []byte("hello"), make([]byte, 64), make([]poll.Event, 8)
	if n := testing.AllocsPerRun(200, func() {
		if n, _, err := d.Write(a, text); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		for {
			n, flow, err := d.Read(b, buf)
			if err != nil {
				t.Fatal(err)
			}
			if n == len(text) && flow&driver.ReadBlocked != 0 {
				return
			}
			if _, err := d.Wait(events, math.MaxInt64); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations for a write and a read: want none", n)
	}
}
