//go:build unix

package osdriver

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

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
		named bool
		typ   socketType
	}{{true, fifo}, {false, pipeBoth}} {
		if !c.named {
			os.Remove(f.Name()) // so that it is like what pipe(2) makes
		}
		s, err := d.Adopt(f.Fd())
		if err != nil {
			t.Fatal(err)
		}
		if n := d.sockets[s].typ; n != c.typ {
			t.Fatalf("named %v: nature %d: want %d", c.named, n, c.typ)
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
