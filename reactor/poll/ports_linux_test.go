package poll

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests look at what no conformance case can time: they run over the model,
// with nobody in wait, and hand ports what a kernel would.

// TestPortsStale has events that were fetched before their watch changed: what is
// told is of the watches as they are.
func TestPortsStale(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Poller, fd int) error
		want   int
	}{
		"not":      {func(*Poller, int) error { return nil }, 1},
		"modified": {func(p *Poller, fd int) error { return p.Modify(fd, 2, Readable|Edge) }, 0},
		"removed":  {func(p *Poller, fd int) error { return p.Remove(fd) }, 0},
		"registered again": {func(p *Poller, fd int) error {
			return errors.Join(p.Remove(fd), p.Register(fd, 3, Readable|Edge))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, "ports (model)")
			b := p.b.(*ports)
			fd, peer := sockets(t)
			defer unix.Close(fd)
			defer unix.Close(peer)
			if err := p.Register(fd, 1, Readable|Writable|Edge); err != nil {
				t.Fatal(err)
			}
			var got [4]portEvent
			n, err := b.kernel.get(got[:], -1)
			if n != 1 || err != nil {
				t.Fatalf("%d events, %v: want 1", n, err)
			}
			if err := c.change(p, fd); err != nil {
				t.Fatal(err)
			}
			var dst [4]Event
			if n := b.collect(dst[:], got[:n]); n != c.want {
				t.Errorf("%d events: want %d", n, c.want)
			}
			if c.want == 1 && dst[0] != (Event{1, Writable}) {
				t.Errorf("%v: want writable", dst[0])
			}
		})
	}
}

// TestPortsLevel has an event queued whose readiness is over when it is fetched.
func TestPortsLevel(t *testing.T) {
	p := open(t, "ports (model)")
	fd, peer := sockets(t)
	defer unix.Close(fd)
	defer unix.Close(peer)
	if _, err := unix.Write(peer, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := p.Register(fd, 1, Readable); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := unix.Read(fd, b[:]); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, 0, 0)
	if _, err := unix.Write(peer, []byte("y")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1)
}

// TestPortsPackets rings by several wakers: one packet is in the port.
func TestPortsPackets(t *testing.T) {
	p := open(t, "ports (model)")
	m := p.b.(*ports).kernel.(*portsModel)
	for round := range 3 {
		var wakers [3]*Waker
		for i := range wakers {
			w, err := NewWaker(p, Token(i))
			if err != nil {
				t.Fatal(err)
			}
			wakers[i] = w
			if err := errors.Join(w.Wake(), w.Wake()); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(m.order, []int{-1}) {
			t.Fatalf("round %d: the port holds %v: want one packet", round, m.order)
		}
		waitFor(t, p, -1, len(wakers))
		if len(m.order) != 0 {
			t.Fatalf("round %d: the port holds %v: want nothing", round, m.order)
		}
		for _, w := range wakers {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPortsAsks counts the calls that a request costs which is answered: the event's
// association is made anew by the next wait, for the re-armed direction too.
func TestPortsAsks(t *testing.T) {
	p, counted := openCounting(t)
	fd, peer := sockets(t)
	defer unix.Close(fd)
	defer unix.Close(peer)
	if err := p.Register(fd, 1, Readable|Writable|Edge); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1) // writable
	for range 3 {
		if _, err := unix.Write(peer, []byte("x")); err != nil {
			t.Fatal(err)
		}
		waitFor(t, p, -1, 1)
		var in [1]byte
		if _, err := unix.Read(fd, in[:]); err != nil {
			t.Fatal(err)
		}
		before := counted.asked
		if err := errors.Join(p.Rearm(fd, 1, Readable), p.Rearm(fd, 1, Readable|Writable)); err != nil {
			t.Fatal(err)
		}
		waitFor(t, p, -1, 1) // writable, as it was re-armed
		if n := counted.asked - before; n != 1 {
			t.Errorf("%d associations: want 1", n)
		}
	}
}

// countingKernel counts associations, and refuses them if it is told to.
type countingKernel struct {
	portsKernel
	asked int
	fails error
}

func (k *countingKernel) associate(fd, bits int, word uintptr) error {
	k.asked++
	if k.fails != nil {
		return k.fails
	}
	return k.portsKernel.associate(fd, bits, word)
}

// openCounting is a poller over a model of event ports, whose calls are counted.
func openCounting(t *testing.T) (*Poller, *countingKernel) {
	t.Helper()
	p := open(t, "ports (model)")
	b := p.b.(*ports)
	k := &countingKernel{portsKernel: b.kernel}
	b.kernel = k
	return p, k
}

// TestPortsRefused has the kernel refuse an association that a wait makes anew: the
// wait says so, and a later one makes it.
func TestPortsRefused(t *testing.T) {
	p, kernel := openCounting(t)
	fd, peer := sockets(t)
	defer unix.Close(fd)
	defer unix.Close(peer)
	if err := p.Register(fd, 1, Writable); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1)
	kernel.fails = unix.ENOMEM
	var dst [1]Event
	for range 2 {
		if n, err := p.Wait(dst[:], 0); n != 0 || !errors.Is(err, unix.ENOMEM) {
			t.Errorf("%d events, %v: want ENOMEM", n, err)
		}
	}
	kernel.fails = nil
	waitFor(t, p, -1, 1)
}

// TestPortsClosed closes what was told before the wait that would ask again, and
// has its number stand for another descriptor.
func TestPortsClosed(t *testing.T) {
	p := open(t, "ports (model)")
	fd, peer := sockets(t)
	defer unix.Close(peer)
	if err := p.Register(fd, 1, Writable); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1)
	unix.Close(fd)
	again, other := sockets(t)
	defer unix.Close(again)
	defer unix.Close(other)
	if again != fd {
		t.Fatalf("descriptor %d: want %d again", again, fd)
	}
	waitFor(t, p, 0, 0)
	if err := p.Remove(again); !errors.Is(err, ErrNotExist) {
		t.Errorf("remove: %v: want ErrNotExist", err)
	}
}

// TestPortsGenerations has the counter pass its end: 0 is the packet's word.
func TestPortsGenerations(t *testing.T) {
	p := open(t, "ports (model)")
	p.b.(*ports).generation = ^uintptr(0)
	fd, peer := sockets(t)
	defer unix.Close(fd)
	defer unix.Close(peer)
	if err := p.Register(fd, 1, Writable); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1)
}

// TestHangUpIsToldOnce watches for urgent data, too, which is yet to be told after a
// hang-up: asking for it would answer at once, and the wait would never sleep.
func TestHangUpIsToldOnce(t *testing.T) {
	for _, name := range []string{"poll", "ports (model)"} {
		t.Run(name, func(t *testing.T) {
			p := open(t, name)
			fd, peer := sockets(t)
			defer unix.Close(fd)
			if err := p.Register(fd, 1, Readable|Priority|Edge); err != nil {
				t.Fatal(err)
			}
			unix.Close(peer)
			waitFor(t, p, -1, 1)
			before := processorTime(t)
			waitFor(t, p, 200*time.Millisecond, 0)
			if used := processorTime(t) - before; used > 100*time.Millisecond {
				t.Errorf("a wait of 200 ms used %v of a processor: want it asleep", used)
			}
			if err := p.Rearm(fd, 1, Readable); err != nil {
				t.Fatal(err)
			}
			waitFor(t, p, -1, 1)
		})
	}
}

// processorTime is what the process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestPortsAllocate waits, re-arms and changes, with a level and with edges, over a
// kernel that has an event for each association.
func TestPortsAllocate(t *testing.T) {
	for _, mode := range []Interest{0, Edge} {
		fd, peer := sockets(t)
		defer unix.Close(fd)
		defer unix.Close(peer)
		var ws wakers
		b, err := newPortsOver(&ws, new(readyKernel))
		if err != nil {
			t.Fatal(err)
		}
		p := &Poller{b: b}
		if err := p.Register(fd, 1, Writable|mode); err != nil {
			t.Fatal(err)
		}
		var dst [4]Event
		allocs := testing.AllocsPerRun(100, func() {
			if n, err := p.Wait(dst[:], -1); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if err := p.Rearm(fd, 1, Writable); err != nil {
				t.Fatal(err)
			}
			if n, err := p.Wait(dst[:], -1); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if err := p.Modify(fd, 1, Writable|mode); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%v: %v allocations: want none", mode, allocs)
		}
	}
}

// readyKernel tells at once, and once, what it was asked for last.
type readyKernel struct{ event portEvent }

func (k *readyKernel) create() error { return nil }
func (k *readyKernel) close() error  { return nil }
func (k *readyKernel) send() error   { return nil }

func (k *readyKernel) associate(fd, bits int, word uintptr) error {
	k.event = portEvent{fd, bits, word}
	return nil
}

func (k *readyKernel) dissociate(int) error {
	k.event = portEvent{}
	return nil
}

func (k *readyKernel) get(events []portEvent, _ time.Duration) (int, error) {
	if k.event.word == 0 {
		return 0, nil
	}
	events[0], k.event = k.event, portEvent{}
	return 1, nil
}
