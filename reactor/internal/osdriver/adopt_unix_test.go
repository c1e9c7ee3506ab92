//go:build unix

package osdriver

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// Another process with the same description can set an adopted descriptor to blocking mode
// at any time. Calls of the driver do not block all the same.
func TestMadeBlocking(t *testing.T) {
	d := testDriver(t)
	sock := func(s driver.Sock, err error) driver.Sock {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close(s) })
		return s
	}
	l := sock(d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{}))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out := make([]byte, 128<<10) // more than a pipe takes
	for _, c := range []struct { // read before write, else there would be something to read
		name string
		fd   uintptr
		call func(driver.Sock) (driver.Flow, error)
		end  func()
	}{
		{"accept", uintptr(d.sockets[l].fd), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Accept(s); return flow, err },
			func() { unix.Shutdown(int(d.sockets[l].fd), unix.SHUT_RDWR) }},
		{"read", r.Fd(), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Read(s, make([]byte, 1)); return flow, err }, func() { w.Write([]byte("x")) }},
		{"write", w.Fd(), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Write(s, out); return flow, err }, func() { r.Read(out) }},
	} {
		s := sock(d.Adopt(c.fd))
		if err := d.Register(s, 1<<32|driver.EventData(s)); err != nil {
			t.Fatal(err)
		}
		if err := unix.SetNonblock(int(c.fd), false); err != nil {
			t.Fatal(err)
		}
		late := make(chan struct{})
		timer := time.AfterFunc(2*time.Second, func() { close(late); c.end() })
		if flow, err := c.call(s); flow&(driver.ReadBlocked|driver.WriteBlocked) == 0 || err != nil {
			t.Errorf("%s: flow %v, %v: want a blocked one", c.name, flow, err)
		}
		if !timer.Stop() {
			<-late
			t.Errorf("%s blocks", c.name)
		}
	}
}

// Two sockets have one description, as stdin and stdout of a terminal have. It does not
// block until the last of them is closed, whichever that is, and blocks again then.
func TestOneDescriptionTwice(t *testing.T) {
	for _, last := range []int{0, 1} {
		d := testDriver(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		kept := int(r.Fd())
		if err := unix.SetNonblock(kept, false); err != nil {
			t.Fatal(err)
		}
		var socks [2]driver.Sock
		for i := range socks {
			if socks[i], err = d.Adopt(uintptr(kept)); err != nil {
				t.Fatal(err)
			}
		}
		d.Close(socks[1-last])
		if _, flow, err := d.Read(socks[last], make([]byte, 1)); flow&driver.ReadBlocked == 0 || err != nil {
			t.Errorf("read: flow %v, %v: want ReadBlocked", flow, err)
		}
		if d.Close(socks[last]); !isBlocking(kept) {
			t.Errorf("socket %d was closed last: the description does not block again", last)
		}
	}
}
