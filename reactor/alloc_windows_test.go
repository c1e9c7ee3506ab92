package reactor_test

import (
	"math"
	"net/netip"
	"testing"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// What the driver does for bytes allocates nothing: wait, read until that would
// block, ask for more, write.
func TestDriverAllocatesNothing(t *testing.T) {
	d, err := reactor.NewOSDriver(8)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	door, err := d.Listen(reactor.Addr{Net: reactor.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, reactor.Opt{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(door)
	name, err := d.Name(door, reactor.Local)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := d.Connect(name, reactor.Opt{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(a)
	var b reactor.Sock
	netWait(t, "a connection", func() bool {
		b, _, err = d.Accept(door)
		return b != 0 && err == nil
	})
	defer d.Close(b)
	for i, s := range []reactor.Sock{a, b} {
		if err := d.Register(s, uint64(i+1)<<33); err != nil {
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
			if n == len(text) && flow&reactor.Drained != 0 {
				return
			}
			if _, err := d.Wait(events, math.MaxInt64); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations for bytes that came: want none", n)
	}
}
