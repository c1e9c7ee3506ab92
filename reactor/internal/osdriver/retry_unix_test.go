//go:build unix

package osdriver

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// A datagram for a unix socket whose queue is full can be sent once that has read. The
// kernel has no event for it, as the sender is not connected: the driver makes one.
func TestUnconnectedDatagramsAreTriedAgain(t *testing.T) {
	path := t.TempDir()
	peer, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path + "/peer", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	s, err := d.Bind(driver.Addr{Net: driver.Unixgram, Path: path + "/own"}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const data = 1<<32 | 77<<8
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	to := driver.Addr{Net: driver.Unixgram, Path: path + "/peer"}
	send := func() (room bool) {
		n, flow, err := d.Send(s, []byte("x"), to)
		if err != nil || (n == 1) == (flow&driver.WriteBlocked != 0) {
			t.Fatal(n, flow, err)
		}
		return n == 1
	}
	writableEvents := func(within time.Duration) (n int) {
		var evs [8]poll.Event
		for until := d.Now() + int64(within); n == 0 && d.Now() < until; {
			k, err := d.Wait(evs[:], until)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range evs[:k] {
				if ev.Token != data {
					t.Fatalf("%+v", ev)
				}
				if ev.Ready&poll.Writable != 0 {
					n++
				}
			}
		}
		return n
	}
	for send() {
	}
	writableEvents(0) // the first event: the socket has room
	for range 3 {
		for range 10 {
			if send() {
				t.Fatal("there is room, though the peer did not read")
			}
		}
		if n := writableEvents(10 * time.Second); n != 1 {
			t.Fatalf("%d events for a socket whose send blocked: want 1", n)
		}
	}
	send()
	if _, err := peer.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if writableEvents(10*time.Second) != 1 || !send() {
		t.Error("there is no room, though the peer read")
	}
	for send() {
	}
	if err := d.Close(s); err != nil {
		t.Fatal(err)
	}
	if writableEvents(30*time.Millisecond) != 0 {
		t.Error("an event for a socket that is closed")
	}
}

// The kernel has no event for room in the queue of a network interface, nor for memory that
// is free again: the driver makes one. The socket goes on.
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
	for _, typ := range []socketType{inetDatagram, tcpStream, unixStream, unixPacket, pipeOut, device} {
		d.sockets[s].typ = typ
		for _, errno := range []syscall.Errno{syscall.ENOBUFS, syscall.ENOMEM} {
			if n, flow, err := d.writeResult(s, -1, 10, errno); n != 0 || flow != driver.WriteBlocked || err != nil {
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
	d.sockets[s].typ = inetDatagram
}
