package poll

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests check moments that a conformance case cannot produce. They run over the
// model, with no goroutine in wait, and pass events to ports as a kernel would.

// TestPortsStale fetches events, changes their watch, and collects them: only events of the
// new watch are returned.
func TestPortsStale(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Poller, fd int) error
		want   int
	}{
		"unchanged": {func(*Poller, int) error { return nil }, 1},
		"modified":  {func(p *Poller, fd int) error { return p.Modify(fd, 2, Readable|Edge) }, 0},
		"removed":   {func(p *Poller, fd int) error { return p.Remove(fd) }, 0},
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

// TestPortsLevel fetches an event after its readiness is over: without Edge it is not
// reported.
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

// TestPortsPackets calls several wakers: they send one packet.
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

// TestPortsAssociations counts the associations per event. The next wait makes one, which
// includes re-armed directions.
func TestPortsAssociations(t *testing.T) {
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
		before := counted.associations
		if err := errors.Join(p.Rearm(fd, 1, Readable), p.Rearm(fd, 1, Readable|Writable)); err != nil {
			t.Fatal(err)
		}
		waitFor(t, p, -1, 1) // writable, as it was re-armed
		if n := counted.associations - before; n != 1 {
			t.Errorf("%d associations: want 1", n)
		}
	}
}

// countingKernel counts associations. If fails is not nil, it returns that error for them.
type countingKernel struct {
	portsKernel
	associations int
	fails        error
}

func (k *countingKernel) associate(fd, bits int, udata uintptr) error {
	k.associations++
	if k.fails != nil {
		return k.fails
	}
	return k.portsKernel.associate(fd, bits, udata)
}

// openCounting returns a Poller over the model and the kernel that counts its calls.
func openCounting(t *testing.T) (*Poller, *countingKernel) {
	t.Helper()
	p := open(t, "ports (model)")
	b := p.b.(*ports)
	k := &countingKernel{portsKernel: b.kernel}
	b.kernel = k
	return p, k
}

// TestPortsRefused lets the kernel refuse an association that a wait renews. The wait returns
// the error, and a later wait makes the association.
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

// TestPortsClosed closes a descriptor after its event and before the wait that would renew
// its association, and opens another one with the same number.
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

// TestPortsGenerations lets the generation wrap around. 0 is skipped: it is the user data of
// packets.
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

// TestHangUpIsReportedOnce also watches for urgent data, which was not reported when the
// hang-up comes. To ask for it would return at once, so a wait would spin.
func TestHangUpIsReportedOnce(t *testing.T) {
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
				t.Errorf("a wait of 200 ms used %v of CPU time: want it to sleep", used)
			}
			if err := p.Rearm(fd, 1, Readable); err != nil {
				t.Fatal(err)
			}
			waitFor(t, p, -1, 1)
		})
	}
}

// processorTime returns the CPU time of the process.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestPortsAllocs waits, re-arms and modifies, over a kernel that has an event for each
// association.
func TestPortsAllocs(t *testing.T) {
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

// readyKernel returns one event for the last association, at once.
type readyKernel struct{ event portEvent }

func (k *readyKernel) create() error { return nil }
func (k *readyKernel) close() error  { return nil }
func (k *readyKernel) send() error   { return nil }

func (k *readyKernel) associate(fd, bits int, udata uintptr) error {
	k.event = portEvent{fd, bits, udata}
	return nil
}

func (k *readyKernel) dissociate(int) error {
	k.event = portEvent{}
	return nil
}

func (k *readyKernel) get(events []portEvent, _ time.Duration) (int, error) {
	if k.event.udata == 0 {
		return 0, nil
	}
	events[0], k.event = k.event, portEvent{}
	return 1, nil
}
