package poll

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests check moments that a conformance case cannot produce. They run over the
// models, with no goroutine in wait, and pass events to kqueue as a kernel would.

// models runs f with each model of a kqueue.
func models(t *testing.T, f func(t *testing.T, p *Poller, k *kqueue)) {
	for _, name := range []string{"kqueue (model)", "kqueue with a pipe (model)"} {
		t.Run(name, func(t *testing.T) {
			p := open(t, name)
			f(t, p, p.b.(*kqueue))
		})
	}
}

// TestKqueueStale fetches events, changes their watch, and collects them: only events of the
// new watch are returned.
func TestKqueueStale(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Poller, fd int) error
		want   int
	}{
		"unchanged": {func(*Poller, int) error { return nil }, 1},
		"modified":  {func(p *Poller, fd int) error { return p.Modify(fd, 2, Readable) }, 0},
		"removed":   {func(p *Poller, fd int) error { return p.Remove(fd) }, 0},
		"registered again": {func(p *Poller, fd int) error {
			return errors.Join(p.Remove(fd), p.Register(fd, 3, Readable))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			models(t, func(t *testing.T, p *Poller, k *kqueue) {
				fd, peer := sockets(t)
				defer unix.Close(fd)
				defer unix.Close(peer)
				if err := p.Register(fd, 1, Readable|Writable); err != nil {
					t.Fatal(err)
				}
				if _, err := unix.Write(peer, []byte("x")); err != nil {
					t.Fatal(err)
				}
				var got [4]knote
				n, err := k.kernel.wait(got[:], -1)
				if n != 2 || err != nil {
					t.Fatalf("%d knotes, %v: want one per direction", n, err)
				}
				if err := c.change(p, fd); err != nil {
					t.Fatal(err)
				}
				var dst [4]Event
				if n, err := k.collect(dst[:], got[:n]); n != c.want || err != nil {
					t.Errorf("%d events, %v: want %d", n, err, c.want)
				}
				if c.want == 1 && dst[0] != (Event{1, Readable | Writable}) {
					t.Errorf("%v: want both directions in one event", dst[0])
				}
			})
		})
	}
}

// TestKqueueIdent collects events with a valid generation and the wrong descriptor.
func TestKqueueIdent(t *testing.T) {
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		fd, peer := sockets(t)
		defer unix.Close(fd)
		defer unix.Close(peer)
		if err := errors.Join(p.Register(fd, 1, Readable), p.Register(peer, 2, Readable)); err != nil {
			t.Fatal(err)
		}
		valid := k.watches[fd].generation
		for _, ident := range []int{peer, 1 << 20} {
			var dst [4]Event
			if n, err := k.collect(dst[:], []knote{{ident: ident, udata: valid}}); n != 0 || err != nil {
				t.Errorf("descriptor %d: %d events, %v: want none", ident, n, err)
			}
		}
	})
}

// TestKqueueGenerations lets the generation wrap around. 0 is skipped: it is that of the
// event that ends a wait.
func TestKqueueGenerations(t *testing.T) {
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		k.generation = ^uintptr(0)
		fd, peer := sockets(t)
		defer unix.Close(fd)
		defer unix.Close(peer)
		if err := p.Register(fd, 1, Writable); err != nil {
			t.Fatal(err)
		}
		if g := k.watches[fd].generation; g != 1 {
			t.Errorf("generation %d: want 1", g)
		}
		waitFor(t, p, -1, 1)
	})
}

// TestKqueueBrokenPipe watches a pipe without a reader for writing. The kernel refuses that,
// and an event must be reported nevertheless.
func TestKqueueBrokenPipe(t *testing.T) {
	for _, interest := range []Interest{Writable, Writable | Edge, Readable | Writable} {
		t.Run(interest.String(), func(t *testing.T) {
			models(t, func(t *testing.T, p *Poller, k *kqueue) {
				var fds [2]int
				if err := unix.Pipe(fds[:]); err != nil {
					t.Fatal(err)
				}
				w := fds[1]
				defer unix.Close(w)
				unix.Close(fds[0])
				if err := p.Register(w, 1, interest); err != nil {
					t.Fatal(err)
				}
				var dst [4]Event
				n, err := p.Wait(dst[:], time.Second)
				if n != 1 || err != nil || dst[0].Ready&(Writable|WriteClosed) != Writable|WriteClosed {
					t.Fatalf("%d events, %v, %v: want writable|write closed", n, err, dst[0].Ready)
				}
				if err := p.Modify(w, 2, interest); err != nil {
					t.Fatal(err)
				}
				waitFor(t, p, time.Second, 1)
				if interest&Edge != 0 {
					waitFor(t, p, 0, 0)
				}
				if err := p.Remove(w); err != nil {
					t.Fatal(err)
				}
				waitFor(t, p, 0, 0)
			})
		})
	}
}

// TestKqueueReaderCloses closes the reader of a full pipe, which the writeFilter of some
// kernels does not report. It must be an event, in each Wait if level-triggered. Input at
// the writing end, which exists on systems whose pipes have two directions, must not be.
func TestKqueueReaderCloses(t *testing.T) {
	for _, interest := range []Interest{Writable, Writable | Edge, Readable | Writable} {
		t.Run(interest.String(), func(t *testing.T) {
			models(t, func(t *testing.T, p *Poller, k *kqueue) {
				var fds [2]int
				if err := unix.Pipe2(fds[:], unix.O_NONBLOCK); err != nil {
					t.Fatal(err)
				}
				w := fds[1]
				defer unix.Close(w)
				for page := make([]byte, 4096); ; {
					if _, err := unix.Write(w, page); err != nil {
						break
					}
				}
				if err := p.Register(w, 1, interest); err != nil {
					t.Fatal(err)
				}
				waitFor(t, p, 0, 0)
				if interest&Readable == 0 {
					var dst [4]Event
					input := knote{ident: w, filter: readFilter, udata: k.watches[w].generation}
					if n, err := k.collect(dst[:], []knote{input}); n != 0 || err != nil {
						t.Errorf("%d events, %v: want none for input", n, err)
					}
				}
				unix.Close(fds[0])
				var dst [4]Event
				n, err := p.Wait(dst[:], time.Second)
				if n != 1 || err != nil || dst[0].Ready&(Writable|WriteClosed) != Writable|WriteClosed {
					t.Fatalf("%d events, %v, %v: want writable|write closed", n, err, dst[0].Ready)
				}
				again := 1
				if interest&Edge != 0 {
					again = 0
				}
				waitFor(t, p, 0, again)
				waitFor(t, p, 0, again)
				if err := p.Remove(w); err != nil {
					t.Fatal(err)
				}
				waitFor(t, p, 0, 0)
			})
		})
	}
}

// TestKqueueRollback lets the second of two changes fail: the first one is undone.
func TestKqueueRollback(t *testing.T) {
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		fd, peer := sockets(t)
		defer unix.Close(fd)
		defer unix.Close(peer)
		m := k.kernel.(*kqueueModel)
		before := len(m.knotes)
		m.fails = writeFilter
		if err := p.Register(fd, 1, Readable|Writable); !errors.Is(err, unix.ENOMEM) {
			t.Errorf("register: %v: want ENOMEM", err)
		}
		m.fails = allFilters
		if _, err := unix.Write(peer, []byte("x")); err != nil {
			t.Fatal(err)
		}
		waitFor(t, p, 0, 0)
		if n := len(m.knotes); n != before {
			t.Errorf("%d knotes: want %d as before", n, before)
		}
		if err := p.Register(fd, 1, Readable|Writable); err != nil {
			t.Fatal(err)
		}
		waitFor(t, p, -1, 1)
	})
}

// TestKqueueClosed closes a descriptor without Remove and opens another one with the same
// number: the old watch does not exist any more.
func TestKqueueClosed(t *testing.T) {
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		newSocket := func() int {
			fd, peer := sockets(t)
			t.Cleanup(func() { unix.Close(peer) })
			return fd
		}
		fd := newSocket()
		if err := p.Register(fd, 1, Readable); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		if err := p.Remove(fd); !errors.Is(err, ErrBadDescriptor) {
			t.Errorf("Remove of a closed descriptor: %v, want ErrBadDescriptor", err)
		}
		for _, change := range []func(fd int) error{
			func(fd int) error { return p.Modify(fd, 2, Readable) },
			func(fd int) error { return p.Remove(fd) },
		} {
			first := newSocket()
			if err := p.Register(first, 1, Readable); err != nil {
				t.Fatal(err)
			}
			unix.Close(first)
			if second := newSocket(); second != first {
				t.Fatalf("descriptor %d: want %d again", second, first)
			}
			if err := change(first); !errors.Is(err, ErrNotExist) {
				t.Errorf("%v: want ErrNotExist", err)
			}
			if err := p.Register(first, 3, Writable); err != nil {
				t.Fatal(err)
			}
			waitFor(t, p, -1, 1)
			if err := p.Remove(first); err != nil {
				t.Fatal(err)
			}
			unix.Close(first)
		}
	})
}

// TestKqueuePriority checks events of urgent data, and that a kernel without a filter for it
// refuses an interest in Priority only.
func TestKqueuePriority(t *testing.T) {
	ev := knote{filter: exceptFilter, fflags: noteOOB}
	if r := ev.ready(false); r != Priority {
		t.Errorf("urgent data: %v: want priority", r)
	}
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		k.kernel.(*kqueueModel).plain = true
		fd, peer := sockets(t)
		defer unix.Close(fd)
		defer unix.Close(peer)
		if err := p.Register(fd, 1, Priority); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("only Priority: %v, want ErrUnsupported", err)
		}
		if err := p.Register(fd, 1, Priority|Writable); err != nil {
			t.Error(err)
		}
		waitFor(t, p, -1, 1)
	})
}

// TestKqueueReady checks that the end of a direction is reported for it only, and an error
// for both.
func TestKqueueReady(t *testing.T) {
	const all = Readable | Writable | ReadClosed | WriteClosed | Error
	for _, c := range []struct {
		ev   knote
		pipe bool
		want Ready
	}{
		{knote{filter: readFilter}, false, Readable},
		{knote{filter: readFilter, flags: evEOF}, false, Readable | ReadClosed},
		{knote{filter: readFilter, flags: evEOF}, true, Readable | ReadClosed | Writable | WriteClosed},
		{knote{filter: readFilter, flags: evEOF, fflags: uint32(unix.ECONNRESET)}, false, all},
		{knote{filter: writeFilter}, false, Writable},
		{knote{filter: writeFilter, flags: evEOF}, false, Writable | WriteClosed},
		{knote{filter: writeFilter, flags: evEOF, fflags: uint32(unix.EPIPE)}, false, all},
		{knote{filter: writeFilter, flags: evError}, false, Readable | Writable | Error},
		{knote{filter: exceptFilter}, false, 0},
		{knote{filter: exceptFilter, flags: evEOF}, false, Readable | ReadClosed},
	} {
		if got := c.ev.ready(c.pipe); got != c.want {
			t.Errorf("%+v, pipe %v: %v: want %v", c.ev, c.pipe, got, c.want)
		}
	}
}
