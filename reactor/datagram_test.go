//go:build unix || windows

package reactor_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// datagramEcho makes a kind that sends back the first 100 bytes of each datagram.
func datagramEcho(t testing.TB) *reactor.Kind[struct{}, reactor.None] {
	return netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [100]byte
			n, from, err := cx.ReadFrom(port0, b[:])
			if err != nil {
				return cx.Fail(err)
			}
			if err := cx.SendTo(port0, b[:n], from); err != nil && !errors.Is(err, reactor.ErrWouldBlock) {
				return cx.Fail(err)
			}
			return fsm.Stay
		},
	})
}

func TestDatagramEcho(t *testing.T) {
	wineLacks(t, "what package net asks of a datagram socket")
	l := netLoop(t, reactor.Config{})
	for _, addr := range []struct{ network, listen, dial string }{
		{"udp", "127.0.0.1:0", "127.0.0.1"}, {"udp4", ":0", "127.0.0.1"}, {"udp", ":0", "127.0.0.1"}, {"udp", "[::]:0", "::1"},
	} {
		n, err := datagramEcho(t).Listen(l, addr.network, addr.listen, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		c := netDialUDP(t, net.JoinHostPort(addr.dial, fmt.Sprint(n.Addr.Port())))
		for _, size := range []int{1, 0, 0, 100, 101, 5000, 2} {
			sent := netBytes(size)
			if _, err := c.Write(sent); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 8000)
			k, err := c.Read(b)
			if err != nil {
				t.Fatalf("%v, %d bytes: got %v, want a datagram", addr, size, err)
			}
			netSame(t, b[:k], sent[:min(size, 100)])
		}
	}
	noneFailed(t, l)
}

// noneFailed checks that no machine has failed.
func noneFailed(t testing.TB, l *reactor.Loop) {
	t.Helper()
	if s := stats(t, l); s.Failed != 0 || s.Panics != 0 {
		t.Errorf("got %d machines failed and %d panics, want 0 and 0", s.Failed, s.Panics)
	}
}

// An ICMP error that one peer caused does not end the socket. SendTo to a wrong address
// returns an error.
func TestDatagramRefusedIsNotTheEnd(t *testing.T) {
	wineLacks(t, "what package net asks of a datagram socket")
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := gone.LocalAddr().(*net.UDPAddr).AddrPort()
	gone.Close()
	errs := make(chan error, 3)
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			var b [100]byte
			n, from, err := cx.ReadFrom(port0, b[:])
			if err != nil {
				return cx.Fail(err)
			}
			for range 3 {
				if err := cx.SendTo(port0, b[:n], closed); err != nil {
					return cx.Stop(fmt.Errorf("SendTo a closed port: got %w, want no error", err))
				}
			}
			errs <- cx.SendTo(port0, b[:n], netip.AddrPort{})
			errs <- cx.SendTo(port0, b[:n], netip.MustParseAddrPort("[::1]:1"))
			errs <- cx.SendTo(port0, make([]byte, 1<<17), from)
			return cx.Fail(cx.SendTo(port0, b[:n], from))
		},
	})
	l := netLoop(t, reactor.Config{})
	n, err := k.Listen(l, "udp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	c := netDialUDP(t, n.String())
	for range 5 {
		ping(t, c)
		for _, want := range []error{syscall.EAFNOSUPPORT, syscall.EAFNOSUPPORT, syscall.EMSGSIZE} {
			if err := await(t, "SendTo", errs); !errors.Is(err, want) {
				t.Errorf("SendTo: got %v, want %v", err, want)
			}
		}
		time.Sleep(time.Millisecond) // for the ICMP error, which need not cause an event
	}
	noneFailed(t, l)
}

// A dialled datagram port sends each Write as one datagram, and is not broken if there is
// no peer yet.
func TestDatagramDialled(t *testing.T) {
	wineLacks(t, "what package net asks of a datagram socket")
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	addr := peer.LocalAddr().String()
	peer.Close()
	const again reactor.Timer = 0
	heard := make(chan string, 16)
	k := netTable(t, reactor.Options{Timers: []fsm.TimerSpec{{Name: "again"}}}, reactor.Table[struct{}, reactor.None]{{},
		{Name: "asking", Wait: port0.Readable(), Within: fsm.After(time.Minute, fsm.Stop),
			OnEnter: func(_ *struct{}, cx *netCx) fsm.State {
				return cx.Fail(errors.Join(cx.Dial(port0, "udp", addr), cx.Arm(again, time.Millisecond)))
			},
			OnTimer: func(_ *struct{}, cx *netCx, _ fsm.Fired) fsm.State {
				for _, s := range []string{"one", "", "three"} {
					if err := cx.Write(port0, []byte(s)); err != nil {
						return cx.Fail(err)
					}
				}
				if err := cx.Write(port0, make([]byte, 1<<17)); !errors.Is(err, syscall.EMSGSIZE) {
					return cx.Stop(fmt.Errorf("Write of a huge datagram: got %v, want %v", err, syscall.EMSGSIZE))
				}
				return cx.Fail(cx.Arm(again, time.Millisecond))
			},
			OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
				var b [100]byte
				n, err := cx.Read(port0, b[:])
				if err != nil {
					return cx.Fail(err)
				}
				heard <- string(b[:n])
				return fsm.Stop
			}},
	})
	l := netLoop(t, reactor.Config{})
	if _, err := k.Spawn(l, struct{}{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "some datagrams are refused", func() bool { return stats(t, l).Timers >= 5 })
	a, _ := net.ResolveUDPAddr("udp", addr)
	if peer, err = net.ListenUDP("udp", a); err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	peer.SetDeadline(time.Now().Add(patience))
	var got []string
	for len(got) < 9 {
		b := make([]byte, 100)
		n, from, err := peer.ReadFromUDP(b)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, string(b[:n])); len(got) == 9 {
			peer.WriteToUDP([]byte("enough"), from)
		}
	}
	for i, s := range got {
		if i > 0 && s == got[i-1] {
			t.Errorf("got datagrams %q, want \"one\", \"\", \"three\" in turn", got)
		}
	}
	if s := await(t, "the machine's report", heard); s != "enough" {
		t.Errorf("got reply %q, want \"enough\"", s)
	}
	noneFailed(t, l)
}

// A server with one timer per exchange sends again until it gets an acknowledgement.
func TestRetransmission(t *testing.T) {
	wineLacks(t, "what package net asks of a datagram socket")
	l := netLoop(t, reactor.Config{})
	n, err := newServer().Listen(l, "udp", "127.0.0.1:0", server{})
	if err != nil {
		t.Fatal(err)
	}
	c := netDialUDP(t, n.String())
	b := make([]byte, 600)
	for id := byte(1); id <= 3; id++ {
		ask := []byte{0, id, 'Q', 'x'}
		begin := time.Now()
		if _, err := c.Write(ask); err != nil {
			t.Fatal(err)
		}
		for range 2 { // and once more, without an acknowledgement
			for k, err := c.Read(b); ; k, err = c.Read(b) {
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Equal(b[:k], ask) {
					break
				}
			}
		}
		if d := time.Since(begin); d < 10*time.Millisecond {
			t.Errorf("got the second reply after %v, want 10 ms at least", d)
		}
		c.Write([]byte{0, id, 'A'})
	}
	eventually(t, "all has come", func() bool { return stats(t, l).BytesIn == 3*(4+3) })
	before := stats(t, l).Timers
	time.Sleep(50 * time.Millisecond) // longer than until the next retransmission
	if after := stats(t, l).Timers; after != before {
		t.Errorf("got %d timers fired after the last acknowledgement, want 0", after-before)
	}
	noneFailed(t, l)
}

// ReadFrom and Read return the datagram that Peek holds, and then the next one.
func TestReadFromAfterPeek(t *testing.T) {
	wineLacks(t, "what package net asks of a datagram socket")
	l := netLoop(t, reactor.Config{})
	k := netKind(t, reactor.Options{}, reactor.Row[struct{}, reactor.None]{
		Wait: port0.Readable(),
		OnReady: func(_ *struct{}, cx *netCx, _ reactor.Ready) fsm.State {
			held, err := cx.Peek(port0)
			if err != nil {
				return cx.Fail(err)
			}
			reply := append([]byte("held "), held...)
			var b [100]byte
			n, from, err := cx.ReadFrom(port0, b[:])
			if err != nil {
				return cx.Stop(err)
			}
			return cx.Fail(cx.SendTo(port0, append(append(reply, " read "...), b[:n]...), from))
		},
	})
	n, err := k.Listen(l, "udp", "127.0.0.1:0", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	c := netDialUDP(t, n.String())
	for _, text := range []string{"one", "two", "three"} {
		c.Write([]byte(text))
	}
	for _, text := range []string{"one", "two", "three"} {
		b := make([]byte, 100)
		got, err := c.Read(b)
		if want := "held " + text + " read " + text; err != nil || string(b[:got]) != want {
			t.Errorf("got %q and %v, want %q", b[:got], err, want)
		}
	}
	noneFailed(t, l)
}
