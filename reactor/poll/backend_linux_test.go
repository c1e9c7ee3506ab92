package poll

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests look at what no event shows: work that a backend saves itself.

// sockets is a connected pair.
func sockets(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

// waitFor is Wait, which has to answer n events.
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

// TestEpollArms parks, which arms the middle, and finds events without parking,
// which disarms it.
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
			t.Fatal("armed by a wait that found events")
		}
		waitFor(t, p, time.Microsecond, 0)
		if !e.armed {
			t.Fatal("not armed by a wait that parked")
		}
		time.AfterFunc(time.Millisecond, func() { w.Wake() })
		waitFor(t, p, -1, 1)
		if e.looks > 1 && !e.armed { // one look: the wake was first
			t.Fatal("disarmed by a wait that parked")
		}
		w.Wake()
		waitFor(t, p, 0, 1)
		if e.armed {
			t.Fatal("armed though a look found events")
		}
		waitFor(t, p, time.Microsecond, 0)
	}
}

// TestEpollArmsBeforeLooking has an event come between the look that found
// nothing and the arming. The middle still lists users, as nobody looked there
// since it let an event through, so the kernel tells nobody at the arming.
func TestEpollArmsBeforeLooking(t *testing.T) {
	p := open(t, "epoll")
	e := p.b.(*epoll)
	w, err := NewWaker(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	for e.looks < 2 { // until one parked, and an event ended that
		time.AfterFunc(time.Millisecond, func() { w.Wake() })
		waitFor(t, p, -1, 1)
	}
	w.Wake()
	waitFor(t, p, -1, 1)
	if e.armed {
		t.Fatal("armed by a wait that found events")
	}
	w.Wake()
	var dst [1]Event
	e.dst, e.looks, e.deadline = dst[:], 0, time.Since(e.start)+time.Second
	if err := e.park.Read(e.look); err != nil || e.n != 1 || e.looks != 1 {
		t.Errorf("%d events by %d looks, %v: want one, by the first", e.n, e.looks, err)
	}
}

// TestEpollTimer sets the timer for the earliest deadline alone.
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
			if e.looks > 1 { // it parked: the wake was not first
				return e.timerAt
			}
		}
	}
	hour := wait(time.Hour)
	if got := wait(2 * time.Hour); got != hour {
		t.Errorf("a later deadline set the timer from %v to %v", hour, got)
	}
	if got := wait(-1); got != hour {
		t.Errorf("no deadline set the timer from %v to %v", hour, got)
	}
	if got := wait(time.Minute); got >= hour {
		t.Errorf("an earlier deadline left the timer at %v", got)
	}
}

// TestPollHangUp has a hang-up that was told with Edge interest end no further
// poll(2), and news after Rearm.
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
	if b.asked[1].Fd != -1 {
		t.Errorf("poll(2) is asked of %+v: want it left out", b.asked[1])
	}
	waitFor(t, p, 0, 0)
	if err := p.Rearm(fd, 1, Readable); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, -1, 1)
}

// TestPollClosed has a wait drop what was closed without Remove.
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

// TestPollChanged changes the table between a poll(2) and the look at what it
// answered: what is told is of the table as it is.
func TestPollChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *Poller, ready, other int) error
		want   int
	}{
		"not":           {func(*Poller, int, int) error { return nil }, 1},
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
			if n, err := pollFor(b.asked, -1); n != 1 || err != nil {
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
