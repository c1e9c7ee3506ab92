//go:build unix

package osdriver

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// keepAliveOf returns the keepalive of a socket, in seconds.
func keepAliveOf(t *testing.T, d *Driver, s driver.Sock) (k driver.KeepAlive) {
	t.Helper()
	get := func(level, option int) int {
		n, err := unix.GetsockoptInt(int(d.sockets[s].fd), level, option)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if k.Off = get(unix.SOL_SOCKET, unix.SO_KEEPALIVE) == 0; k.Off || keepIdleOption == 0 {
		return k
	}
	k.Idle = time.Duration(get(unix.IPPROTO_TCP, keepIdleOption)) * keepUnit
	k.Interval = time.Duration(get(unix.IPPROTO_TCP, keepIntervalOption)) * keepUnit
	k.Count = get(unix.IPPROTO_TCP, keepCountOption)
	return k
}

// Connections have the keepalive that was asked for, and that of package net by default:
// those that are dialled, accepted, and accepted from a listener that was adopted.
func TestKeepAlive(t *testing.T) {
	for _, c := range []struct{ asked, want driver.KeepAlive }{
		{driver.KeepAlive{}, driver.KeepAlive{Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}},
		{driver.KeepAlive{Idle: 1500 * time.Millisecond, Count: 3}, driver.KeepAlive{Idle: 2 * time.Second, Interval: 15 * time.Second, Count: 3}},
		{driver.KeepAlive{Off: true}, driver.KeepAlive{Off: true}},
	} {
		if keepIdleOption == 0 {
			c.want = driver.KeepAlive{Off: c.want.Off}
		}
		d := testDriver(t)
		own, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{KeepAlive: c.asked})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close(own)
		n, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		raw, err := n.(*net.TCPListener).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var of driver.Sock
		if e := raw.Control(func(fd uintptr) { of, err = d.Adopt(fd) }); e != nil || err != nil {
			t.Fatal(e, err)
		}
		defer d.Close(of)
		d.SetKeepAlive(of, c.asked)
		for name, l := range map[string]driver.Sock{"its own": own, "an adopted": of} {
			at, err := d.Addr(l, driver.Local)
			if err != nil {
				t.Fatal(err)
			}
			dialled, _, err := d.Connect(at, driver.SocketOptions{KeepAlive: c.asked})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close(dialled)
			var accepted driver.Sock
			for until := time.Now().Add(5 * time.Second); accepted == 0 && time.Now().Before(until); {
				if accepted, _, err = d.Accept(l); err != nil {
					t.Fatal(err)
				}
			}
			if accepted == 0 {
				t.Fatal("no connection")
			}
			defer d.Close(accepted)
			if got := keepAliveOf(t, d, dialled); got != c.want {
				t.Errorf("asked for %+v: dialled: %+v: want %+v", c.asked, got, c.want)
			}
			if got := keepAliveOf(t, d, accepted); got != c.want {
				t.Errorf("asked for %+v: accepted from %s listener: %+v: want %+v", c.asked, name, got, c.want)
			}
		}
	}
}
