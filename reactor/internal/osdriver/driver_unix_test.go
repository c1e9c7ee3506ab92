//go:build unix

package osdriver

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// testDriver is the operating system's driver, without a loop.
func testDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.End() })
	return d
}

// testConnection is a connection of TCP, both of whose ends are the driver's.
func testConnection(t testing.TB, d *Driver) (dialled, accepted driver.Sock) {
	t.Helper()
	l, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(l) })
	at, err := d.Addr(l, driver.Local)
	if err != nil {
		t.Fatal(err)
	}
	if dialled, _, err = d.Connect(at, driver.SocketOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(dialled) })
	for until := time.Now().Add(10 * time.Second); accepted == 0 && time.Now().Before(until); {
		if accepted, _, err = d.Accept(l); err != nil {
			t.Fatal(err)
		}
	}
	if accepted == 0 {
		t.Fatal("no connection")
	}
	t.Cleanup(func() { d.Close(accepted) })
	return dialled, accepted
}

// What the kernel would call an invalid argument is said in words.
func TestUnixNames(t *testing.T) {
	d := testDriver(t)
	long := driver.Addr{Net: driver.Unix, Path: t.TempDir() + "/" + strings.Repeat("x", maxPath)}
	_, listened := d.Listen(long, driver.SocketOptions{})
	_, _, connected := d.Connect(long, driver.SocketOptions{})
	for _, err := range []error{listened, connected} {
		if err == nil || !strings.Contains(err.Error(), "want at most") {
			t.Errorf("a path of %d bytes: %v: want how long one may be", len(long.Path), err)
		}
	}
	s, err := d.Listen(driver.Addr{Net: driver.Unix, Path: "@stator-test-name"}, driver.SocketOptions{})
	if abstractNames {
		err = errors.Join(err, d.Close(s))
	} else if errors.Is(err, driver.ErrUnsupported) {
		err = nil
	}
	if err != nil {
		t.Errorf("a name that is no file, supported %v: %v", abstractNames, err)
	}
}

// Listeners that could not share an address say so.
func TestSharedListeners(t *testing.T) {
	d := testDriver(t)
	s, err := d.Listen(driver.Addr{Net: driver.TCP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{ReusePort: true})
	if spreads == 0 {
		if !errors.Is(err, driver.ErrUnsupported) {
			t.Errorf("%v: want ErrUnsupported", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	d.Close(s)
}

// bothWays is a pipe with a name, open in both directions.
func bothWays(t *testing.T) *os.File {
	t.Helper()
	path := t.TempDir() + "/pipe"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Each end of a pipe may be open both ways: then the only way to end what is written is
// to close it, and what is read ends with that.
func TestPipeOfBothDirections(t *testing.T) {
	f := bothWays(t)
	d := testDriver(t)
	for _, c := range []struct {
		named  bool
		nature nature
	}{{true, fifo}, {false, pipeBoth}} {
		if !c.named {
			os.Remove(f.Name()) // so that it is like what pipe(2) makes
		}
		s, err := d.Adopt(f.Fd())
		if err != nil {
			t.Fatal(err)
		}
		if n := d.rows[s].nature; n != c.nature {
			t.Fatalf("named %v: nature %d: want %d", c.named, n, c.nature)
		}
		if err := d.Register(s, 1<<32); err != nil {
			t.Fatal(err)
		}
		var b [8]byte
		if n, _, err := d.Write(s, []byte("hello")); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		if n, _, err := d.Read(s, b[:]); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		if err := d.Shutdown(s, driver.ShutWrite); err != nil {
			t.Fatal(err)
		}
		n, flow, err := d.Read(s, b[:])
		if want := map[bool]driver.Flow{true: driver.ReadBlocked, false: driver.ReadEnded}[c.named]; n != 0 || flow != want || err != nil {
			t.Errorf("named %v: read after the end of output: %d, %v, %v: want %v", c.named, n, flow, err, want)
		}
		if err := errors.Join(d.Shutdown(s, driver.ShutWrite), d.Close(s)); err != nil {
			t.Error(err)
		}
	}
}

// Who waits for input at a pipe whose output it ends is told that this is the end.
func TestEndOfPipeOfBothDirectionsIsTold(t *testing.T) {
	f := bothWays(t)
	os.Remove(f.Name()) // so that it is like what pipe(2) makes
	d := testDriver(t)
	s, err := d.Adopt(f.Fd())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(s)
	const data = 1<<32 | 5
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	if n, flow, err := d.Read(s, make([]byte, 8)); n != 0 || flow != driver.ReadBlocked || err != nil {
		t.Fatal(n, flow, err)
	}
	if err := d.Shutdown(s, driver.ShutWrite); err != nil {
		t.Fatal(err)
	}
	var evs [4]poll.Event
	for until := d.Now() + int64(2*time.Second); d.Now() < until; {
		n, err := d.Wait(evs[:], until)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range evs[:n] {
			if ev.Token == data && ev.Ready&poll.ReadClosed != 0 {
				return
			}
		}
	}
	t.Error("nothing was told")
}

// A backend that keeps a table of its own may take the next socket of a number for the
// one that was closed: no socket may be left there.
func TestCloseIsTheEndOfWatching(t *testing.T) {
	d := testDriver(t)
	if d.edges {
		t.Skip("the table is the kernel's, which forgets what is closed")
	}
	s, err := d.Bind(driver.Addr{Net: driver.UDP, IP: netip.MustParseAddrPort("127.0.0.1:0")}, driver.SocketOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const data = 1<<32 | 5
	if err := d.Register(s, data); err != nil {
		t.Fatal(err)
	}
	fd := int(d.rows[s].fd)
	if err := d.Close(s); err != nil {
		t.Fatal(err)
	}
	if err := d.poller.Rearm(fd, data, poll.Readable|poll.Edge); err == nil {
		t.Error("the poller still has the closed socket")
	}
}

// A call that takes less than it was given, as one takes no more, has not met a full
// buffer: nobody would tell when there is room.
func TestWritevOfMuch(t *testing.T) {
	d := testDriver(t)
	a, b := testConnection(t, d)
	const pieces, size = 3, 30 << 10
	var sent, got int
	piece, into := make([]byte, size), make([]byte, pieces*size)
	for until := time.Now().Add(10 * time.Second); got < pieces*size && time.Now().Before(until); {
		v := driver.Vec{}
		for left := pieces*size - sent; left > 0; left -= size {
			v.B[v.N] = piece[:min(left, size)]
			v.N++
		}
		if v.N > 0 {
			n, flow, err := d.Writev(a, &v)
			if err != nil || n%size != 0 || flow != 0 {
				t.Fatalf("%d bytes, %v, %v: want whole pieces", n, flow, err)
			}
			sent += n
		}
		n, _, err := d.Read(b, into)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	if got != pieces*size {
		t.Errorf("%d bytes of %d", got, pieces*size)
	}
}

// An address may name its interface by name or number.
func TestZones(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skip("no interfaces: ", err)
	}
	ip := netip.MustParseAddr("fe80::1")
	for name, want := range map[string]uint32{
		all[0].Name: uint32(all[0].Index), "17": 17, "": 0, "no such interface": 0,
	} {
		if got := zone(ip.WithZone(name)); got != want {
			t.Errorf("zone %q: %d: want %d", name, got, want)
		}
	}
	if got := zoned(ip.As16(), 17); got != ip.WithZone("17") {
		t.Errorf("%v: want zone 17", got)
	}
}
