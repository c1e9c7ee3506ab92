//go:build unix

package osdriver_test

import (
	"net"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/osdriver"
	"github.com/stator-go/stator/reactor/poll"
)

// A datagram for a peer whose queue is full can be sent once the peer has read, though
// the kernel tells nobody who is not connected to it.
func TestUnconnectedDatagramsAreTriedAgain(t *testing.T) {
	path := t.TempDir()
	peer, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path + "/peer", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	d, err := osdriver.New(4)
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
	told := func(within time.Duration) (n int) {
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
	told(0) // the first event of all: the socket has room
	for range 3 {
		for range 10 {
			if send() {
				t.Fatal("there is room, though nobody read")
			}
		}
		if n := told(10 * time.Second); n != 1 {
			t.Fatalf("%d events for a socket that was refused", n)
		}
	}
	send()
	if _, err := peer.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if told(10*time.Second) != 1 || !send() {
		t.Error("there is no room, though the peer read")
	}
	for send() {
	}
	if err := d.Close(s); err != nil {
		t.Fatal(err)
	}
	if told(30*time.Millisecond) != 0 {
		t.Error("an event for a socket that is closed")
	}
}
