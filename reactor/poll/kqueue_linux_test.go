package poll

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests look at what no conformance case can time: they run over the model,
// with nobody in wait, and hand kqueue what a kernel would.

// models runs f on a kqueue with each kind of bell.
func models(t *testing.T, f func(t *testing.T, p *Poller, k *kqueue)) {
	for _, name := range []string{"kqueue (model)", "kqueue with a bell (model)"} {
		t.Run(name, func(t *testing.T) {
			p := open(t, name)
			f(t, p, p.b.(*kqueue))
		})
	}
}

// TestKqueueStale has events that were fetched before their watch changed: what
// is told is of the watches as they are.
func TestKqueueStale(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Poller, fd int) error
		want   int
	}{
		"not":      {func(*Poller, int) error { return nil }, 1},
		"modified": {func(p *Poller, fd int) error { return p.Modify(fd, 2, Readable) }, 0},
		"removed":  {func(p *Poller, fd int) error { return p.Remove(fd) }, 0},
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
					t.Fatalf("%d knotes, %v: want one a direction", n, err)
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

// TestKqueueIdent has a generation that is right come with another descriptor.
func TestKqueueIdent(t *testing.T) {
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		fd, peer := sockets(t)
		defer unix.Close(fd)
		defer unix.Close(peer)
		if err := errors.Join(p.Register(fd, 1, Readable), p.Register(peer, 2, Readable)); err != nil {
			t.Fatal(err)
		}
		right := k.watches[fd].generation
		for _, ident := range []int{peer, 1 << 20} {
			var dst [4]Event
			if n, err := k.collect(dst[:], []knote{{ident: ident, udata: right}}); n != 0 || err != nil {
				t.Errorf("descriptor %d: %d events, %v: want none", ident, n, err)
			}
		}
	})
}

// TestKqueueGenerations has the counter pass its end: 0 is no generation, but
// the bell's.
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

// TestKqueueBrokenPipe watches for writing a pipe that has no reader, which the
// kernel refuses, and which has to be an event.
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

// TestKqueueReaderGoes has the reader of a full pipe go, which not every kernel's
// writeFilter tells: it is an event, with a level one each time. Data that could be
// read from the writing end, as a system's pipe may be open both ways, is none.
func TestKqueueReaderGoes(t *testing.T) {
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
						t.Errorf("%d events, %v: want none of input", n, err)
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

// TestKqueueUndone has a change fail after another was made: nothing is left of
// either.
func TestKqueueUndone(t *testing.T) {
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

// TestKqueueClosed has a number stand for another descriptor after a close
// without Remove: the old watch is none.
func TestKqueueClosed(t *testing.T) {
	models(t, func(t *testing.T, p *Poller, k *kqueue) {
		again := func() int {
			fd, peer := sockets(t)
			t.Cleanup(func() { unix.Close(peer) })
			return fd
		}
		fd := again()
		if err := p.Register(fd, 1, Readable); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		if err := p.Remove(fd); !errors.Is(err, ErrBadDescriptor) {
			t.Errorf("remove of a closed one: %v: want ErrBadDescriptor", err)
		}
		for _, change := range []func(fd int) error{
			func(fd int) error { return p.Modify(fd, 2, Readable) },
			func(fd int) error { return p.Remove(fd) },
		} {
			first := again()
			if err := p.Register(first, 1, Readable); err != nil {
				t.Fatal(err)
			}
			unix.Close(first)
			if second := again(); second != first {
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

// TestKqueuePriority tells of urgent data, and refuses to watch for it alone
// where there is no filter for it.
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
			t.Errorf("priority alone: %v: want ErrUnsupported", err)
		}
		if err := p.Register(fd, 1, Priority|Writable); err != nil {
			t.Error(err)
		}
		waitFor(t, p, -1, 1)
	})
}

// TestKqueueReady has each direction tell its own end, and an error both.
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
