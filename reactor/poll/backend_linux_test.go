package poll

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests check the inside of a backend, which its events do not show.

// sockets returns two connected sockets.
func sockets(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

// waitFor calls Wait, which must return n events.
func waitFor(t *testing.T, p *Poller, timeout time.Duration, n int) {
	t.Helper()
	var dst [4]Event
	if got, err := p.Wait(dst[:], timeout); got != n || err != nil {
		t.Fatalf("%d events, %v: want %d", got, err, n)
	}
}

func open(t *testing.T, backend string) *Poller {
	t.Helper()
	p, err := NewBackend(backend)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestEpollArms checks that a wait which parks arms middle, and that one which finds events
// without parking disarms it.
func TestEpollArms(t *testing.T) {
	p := open(t, "epoll")
	e := p.b.(*epoll)
	w, err := NewWaker(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.Wake()
		waitFor(t, p, -1, 1)
		if e.armed {
			t.Fatal("armed after a wait that found events")
		}
		waitFor(t, p, time.Microsecond, 0)
		if !e.armed {
			t.Fatal("not armed after a wait that parked")
		}
		time.AfterFunc(time.Millisecond, func() { w.Wake() })
		waitFor(t, p, -1, 1)
		if e.tries > 1 && !e.armed { // after one try it did not park, as the wake came first
			t.Fatal("not armed after a wait that parked and was woken")
		}
		w.Wake()
		waitFor(t, p, 0, 1)
		if e.armed {
			t.Fatal("armed after a wait without timeout that found events")
		}
		waitFor(t, p, time.Microsecond, 0)
	}
}

// TestEpollArmsBeforeCollecting has an event come after a wait that found none and before
// the arming. users is still on the ready list of middle, as that was not read since it
// passed on an event. So the kernel does not report the event at the arming, and a wait
// must collect after it has armed.
func TestEpollArmsBeforeCollecting(t *testing.T) {
	p := open(t, "epoll")
	e := p.b.(*epoll)
	w, err := NewWaker(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	for e.tries < 2 { // until a wait parked and was woken by an event
		time.AfterFunc(time.Millisecond, func() { w.Wake() })
		waitFor(t, p, -1, 1)
	}
	w.Wake()
	waitFor(t, p, -1, 1)
	if e.armed {
		t.Fatal("armed after a wait that found events")
	}
	w.Wake()
	var dst [1]Event
	e.dst, e.tries, e.deadline = dst[:], 0, time.Since(e.start)+time.Second
	if err := e.park.Read(e.tryRead); err != nil || e.n != 1 || e.tries != 1 {
		t.Errorf("%d events after %d tries, %v: want one after the first", e.n, e.tries, err)
	}
}

// TestEpollTimer checks that the timer is set only for a deadline before the one it is set
// to.
func TestEpollTimer(t *testing.T) {
	p := open(t, "epoll")
	e := p.b.(*epoll)
	w, err := NewWaker(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	wait := func(timeout time.Duration) time.Duration {
		t.Helper()
		for {
			time.AfterFunc(time.Millisecond, func() { w.Wake() })
			waitFor(t, p, timeout, 1)
			if e.tries > 1 { // it parked before the wake
				return e.timerAt
			}
		}
	}
	hour := wait(time.Hour)
	if got := wait(2 * time.Hour); got != hour {
		t.Errorf("a later deadline set the timer from %v to %v", hour, got)
	}
	if got := wait(-1); got != hour {
		t.Errorf("a wait without a deadline set the timer from %v to %v", hour, got)
	}
	if got := wait(time.Minute); got >= hour {
		t.Errorf("an earlier deadline did not change the timer from %v", got)
	}
}

// TestPollHangUp checks that a hang-up which was reported with Edge does not end further
// calls of poll(2), and is reported again after Rearm.
func TestPollHangUp(t *testing.T) {
	p := open(t, "poll")
	b := p.b.(*poll2)
	fd, peer := sockets(t)
	defer unix.Close(fd)
	if err := p.Register(fd, 1, Readable|Writable|Edge); err != nil {
		t.Fatal(err)
	}
	unix.Close(peer)
	waitFor(t, p, -1, 1)
	if b.polled[1].Fd != -1 {
		t.Errorf("poll(2) gets %+v: want a negative descriptor", b.polled[1])
	}
	waitFor(t, p, 0, 0)
	if err := p.Rearm(fd, 1, Readable); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1)
}

// TestPollClosed checks that a wait drops a descriptor that was closed without Remove.
func TestPollClosed(t *testing.T) {
	p := open(t, "poll")
	fd, peer := sockets(t)
	defer unix.Close(peer)
	if err := p.Register(fd, 1, Readable); err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	waitFor(t, p, 0, 0)
	if n := len(p.b.(*poll2).watches); n != 0 {
		t.Errorf("%d watches: want none", n)
	}
}

// TestPollChanged changes the table after poll(2) returned and before its results are
// collected: only events of the new table are returned.
func TestPollChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Poller, ready, other int) error
		want   int
	}{
		"unchanged":     {func(*Poller, int, int) error { return nil }, 1},
		"modified":      {func(p *Poller, ready, _ int) error { return p.Modify(ready, 2, Priority) }, 0},
		"removed":       {func(p *Poller, ready, _ int) error { return p.Remove(ready) }, 0},
		"removed first": {func(p *Poller, _, other int) error { return p.Remove(other) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, "poll")
			b := p.b.(*poll2)
			other, ready := sockets(t)
			for _, fd := range []int{other, ready} {
				defer unix.Close(fd)
				if err := p.Register(fd, 1, Readable); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := unix.Write(other, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := b.copy(); err != nil {
				t.Fatal(err)
			}
			if n, err := pollFor(b.polled, -1); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if err := c.change(p, ready, other); err != nil {
				t.Fatal(err)
			}
			var dst [4]Event
			if n := b.collect(dst[:]); n != c.want {
				t.Errorf("%d events: want %d", n, c.want)
			}
		})
	}
}
