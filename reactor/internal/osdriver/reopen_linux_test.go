//go:build !stator_plain

package osdriver

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// blockingPipe returns the ends of a pipe that blocks.
func blockingPipe(t testing.TB, flags int) (r, w int) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|flags); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p[0]); unix.Close(p[1]) })
	return p[0], p[1]
}

// What others have stays as it is: the driver opens pipes and terminals anew, so that
// nothing has to be restored, even if the process is killed. It does not open anew what
// would be another thing then: the master of a terminal.
func TestAdoptOpensAnew(t *testing.T) {
	d := testDriver(t)
	r, w := blockingPipe(t, 0)
	master, tty := openTTY(t)
	fifo := int(openFIFO(t).Fd())
	unix.SetNonblock(fifo, false)
	for _, c := range []struct {
		name string
		fd   int
		anew bool
	}{{"pipe to read", r, true}, {"pipe to write", w, true}, {"FIFO", fifo, true}, {"terminal", tty, true}, {"its master", master, false}} {
		s, err := d.Adopt(uintptr(c.fd))
		if err != nil {
			t.Fatal(err)
		}
		if isBlocking(c.fd) != c.anew {
			t.Errorf("%s: while it is adopted, its description blocks: %v: want %v", c.name, !c.anew, c.anew)
		}
		if isBlocking(int(d.sockets[s].fd)) {
			t.Errorf("%s: the driver's own descriptor blocks", c.name)
		}
		if err := d.Close(s); err != nil || !isBlocking(c.fd) {
			t.Errorf("%s: closed, %v: its description blocks: %v: want true", c.name, err, isBlocking(c.fd))
		}
	}
}

// A pipe whose other end is gone can't be opened anew: its end is told all the same.
func TestAdoptWithoutOtherEnd(t *testing.T) {
	d := testDriver(t)
	r, w := blockingPipe(t, 0)
	unix.Write(w, []byte("x"))
	unix.Close(w)
	in, err := d.Adopt(uintptr(r))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(in)
	for _, want := range []struct {
		n    int
		flow driver.Flow
	}{{1, 0}, {0, driver.ReadEnded}} {
		if n, flow, err := d.Read(in, make([]byte, 8)); n != want.n || flow != want.flow || err != nil {
			t.Errorf("read: %d, %v, %v: want %+v", n, flow, err, want)
		}
	}
	r, w = blockingPipe(t, 0)
	unix.Close(r)
	out, err := d.Adopt(uintptr(w))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(out)
	if _, flow, err := d.Write(out, []byte("x")); flow != driver.BothEnded || err != unix.EPIPE {
		t.Errorf("write: %v, %v: want BothEnded, EPIPE", flow, err)
	}
}

// Adopting one file does not touch others. A pipe of packets can't be opened anew to be
// written: its description is shared.
func TestAdoptTouchesNoOthers(t *testing.T) {
	d, err := New(4000)
	if err != nil {
		t.Fatal(err)
	}
	defer d.End()
	var socks []driver.Sock
	adopt := func(fd int) (s driver.Sock) {
		if s, err = d.Adopt(uintptr(fd)); err != nil {
			t.Fatal(err)
		}
		socks = append(socks, s)
		return s
	}
	const many = 1000
	for range many {
		_, w := blockingPipe(t, unix.O_DIRECT)
		if s := adopt(w); d.sockets[s].flags&(adopted|wasBlocking) != adopted|wasBlocking {
			t.Skip("a pipe of packets was opened anew")
		}
	}
	_, w := blockingPipe(t, unix.O_DIRECT|unix.O_NONBLOCK)
	if d.madeNonblockingBefore(w) {
		t.Error("taken for a duplicate of another pipe")
	}
	if n := len(d.madeNonblocking.of(w)); n != 0 {
		t.Errorf("%d others were made to block for a moment: want none", n)
	}
	began := time.Now()
	adopt(w)
	if took := time.Since(began); took > 5*time.Millisecond {
		t.Errorf("adopting beside %d others took %v", many, took)
	}
	for _, s := range socks {
		d.Close(s)
	}
	if len(d.madeNonblocking) != 0 {
		t.Errorf("%d files are remembered, of none that are open", len(d.madeNonblocking))
	}
}
