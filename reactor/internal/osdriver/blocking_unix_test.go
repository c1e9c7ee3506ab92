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

// Whoever has the same description as an adopted descriptor can make it block. Sockets
// are asked for what there is; all else is made what it has to be again.
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
	for _, c := range []struct { // in this order: what was written could be read
		name string
		fd   uintptr
		call func(driver.Sock) (driver.Flow, error)
		end  func()
	}{
		{"accept", uintptr(d.rows[l].fd), func(s driver.Sock) (driver.Flow, error) { _, flow, err := d.Accept(s); return flow, err },
			func() { unix.Shutdown(int(d.rows[l].fd), unix.SHUT_RDWR) }},
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
			t.Errorf("%s: %v, %v: want to hear that it would block", c.name, flow, err)
		}
		if !timer.Stop() {
			<-late
			t.Errorf("%s blocks", c.name)
		}
	}
}

// Two sockets of one description, stdin and stdout of a terminal say: whichever is
// closed last, it blocks again.
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
			t.Errorf("read: %v, %v: want to hear that it would block", flow, err)
		}
		if d.Close(socks[last]); !blocks(kept) {
			t.Errorf("closed last, %d does not leave it blocking", last)
		}
	}
}
