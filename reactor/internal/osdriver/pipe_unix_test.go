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

// openFIFO returns a FIFO that is open in both directions.
func openFIFO(t *testing.T) *os.File {
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

// Where the ends of a pipe are open both ways, Shutdown of the output has to close the end,
// and with it the input.
func TestPipeOfBothDirections(t *testing.T) {
	f := openFIFO(t)
	d := testDriver(t)
	for _, c := range []struct {
		named bool
		typ   socketType
	}{{true, fifo}, {false, pipeBoth}} {
		if !c.named {
			os.Remove(f.Name()) // without a name it is like an end of pipe(2)
		}
		s, err := d.Adopt(f.Fd())
		if err != nil {
			t.Fatal(err)
		}
		if n := d.sockets[s].typ; n != c.typ {
			t.Fatalf("named %v: type %d: want %d", c.named, n, c.typ)
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

// If Shutdown closes an end of a pipe that is open both ways, the end of its input is an
// event.
func TestEndOfPipeOfBothDirectionsIsAnEvent(t *testing.T) {
	f := openFIFO(t)
	os.Remove(f.Name()) // without a name it is like an end of pipe(2)
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
	t.Error("no event")
}
