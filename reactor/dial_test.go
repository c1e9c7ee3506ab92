//go:build unix || windows

package reactor_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/internal/fakedriver"
	"github.com/stator-go/stator/reactor/poll"
)

// attempts are the connections that a fake driver was asked for. They do not come about by
// themselves.
type attempts struct {
	d     *fake
	mu    sync.Mutex
	socks []*fakedriver.Socket
	log   []string // address and time since the first attempt
	zero  int64
}

func newAttempts(d *fake) *attempts {
	a := &attempts{d: d}
	d.OnConnect = func(s *fakedriver.Socket, to driver.Addr) (driver.Flow, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.socks) == 0 {
			a.zero = d.Now()
		}
		a.socks = append(a.socks, s)
		a.log = append(a.log, fmt.Sprint(to.IP.Addr(), "@", time.Duration(d.Now()-a.zero)))
		return driver.WriteBlocked, nil
	}
	return a
}

// wait waits until there have been n attempts, as names are looked up in real time.
func (a *attempts) wait(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " attempts to connect"), func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.socks) >= n
	})
	a.d.Settle()
}

// finish ends attempt n: with an error, or with a connection.
func (a *attempts) finish(n int, err error) {
	a.d.t.Helper()
	a.mu.Lock()
	s := a.socks[n]
	a.mu.Unlock()
	a.d.Do(func() {
		s.Err = err
		s.Event(poll.Writable)
	})
}

func (a *attempts) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.log, " ")
}

// dialer dials its port 0 in a state with a bound.
type dialer struct {
	network, addr string
	within        time.Duration // 0: none
	say           string        // then it stops
	told          func(error)
}

func dialers(t testing.TB, opt reactor.Options) *reactor.Kind[dialer, reactor.None] {
	const bounded, unbounded, failed, open = fsm.First, fsm.First + 1, fsm.First + 2, fsm.First + 3
	dialling := func(name string, within fsm.Deadline) reactor.Row[dialer, reactor.None] {
		return reactor.Row[dialer, reactor.None]{Name: name, Wait: port0.Opened(), Within: within, Fail: failed, To: fsm.To(open, unbounded),
			OnEnter: func(m *dialer, cx *netCx) fsm.State {
				if m.within == 0 && cx.State() == bounded {
					return unbounded
				}
				err := cx.Dial(port0, m.network, m.addr)
				cx.Within(m.within) // after Dial: it counts nevertheless
				if err == nil && m.say != "" {
					return cx.Stop(cx.Write(port0, []byte(m.say)))
				}
				return cx.Fail(err)
			},
			OnReady: func(*dialer, *netCx, reactor.Ready) fsm.State { return open }}
	}
	opt.Ports = []string{"peer"}
	return kind(t, "dialer", opt, reactor.Table[dialer, reactor.None]{
		fsm.Any:   {Shutdown: fsm.Stop},
		bounded:   dialling("bounded", fsm.After(time.Minute, failed)),
		unbounded: dialling("unbounded", fsm.Never),
		failed: {Name: "failed", Within: fsm.Never, OnEnter: func(m *dialer, cx *netCx) fsm.State {
			m.told(cx.Cause())
			return fsm.Stay
		}},
		open: {Name: "open", Within: fsm.Never, OnEnter: func(m *dialer, cx *netCx) fsm.State {
			m.told(nil)
			return fsm.Stay
		}},
	})
}

// Each address of a name has its share of the time that is left, so that one that does not
// answer is no more than a delay.
func TestDialSharesItsTimeAmongAddresses(t *testing.T) {
	for _, c := range []struct {
		within time.Duration
		addrs  int
		want   string
	}{
		{3 * time.Second, 1, "127.0.0.1@0s"},
		{3 * time.Second, 2, "127.0.0.1@0s 127.0.0.2@1.5s"},
		{3 * time.Second, 3, "127.0.0.1@0s 127.0.0.2@1s 127.0.0.3@2s"},
		{100 * time.Millisecond, 2, "127.0.0.1@0s 127.0.0.2@50ms"},
		{time.Second, 8, "127.0.0.1@0s 127.0.0.2@250ms 127.0.0.3@500ms 127.0.0.4@750ms 127.0.0.5@875ms 127.0.0.6@938ms 127.0.0.7@969ms 127.0.0.8@985ms"},
		{50 * time.Second, 3, "127.0.0.1@0s 127.0.0.2@5s 127.0.0.3@10s"},
		{0, 3, "127.0.0.1@0s 127.0.0.2@5s 127.0.0.3@10s"},
	} {
		t.Run(fmt.Sprint(c.within, " ", c.addrs), func(t *testing.T) {
			var addrs []string
			for n := range c.addrs {
				addrs = append(addrs, fmt.Sprint("127.0.0.", n+1))
			}
			newNameServer(t, addrs...)
			d, told := newFake(t), make(chan error, 1)
			tried := newAttempts(d)
			l := d.start(reactor.Config{Slots: 1})
			spawn(t, l, dialers(t, reactor.Options{}), dialer{"tcp4", "some.test:80", c.within, "", func(err error) { told <- err }})
			tried.wait(t, 1)
			for range 20_000 {
				if len(told) > 0 {
					break
				}
				d.Advance(time.Millisecond)
			}
			if got := tried.String(); got != c.want {
				t.Errorf("got attempts %s, want %s", got, c.want)
			}
			if c.within == 0 || c.within > 20*time.Second {
				tried.finish(c.addrs-1, nil)
				if err := await(t, "the end of the dial", told); err != nil {
					t.Errorf("the last address: got %v, want no error", err)
				}
			} else if err := await(t, "the end of the dial", told); !errors.Is(err, reactor.ErrTimeout) {
				t.Errorf("no address accepts: got %v, want ErrTimeout", err)
			}
		})
	}
}

// What was written before the machine stopped reaches the address that answers.
func TestDialGoesOnWhileLingering(t *testing.T) {
	newNameServer(t, "127.0.0.1", "127.0.0.2")
	d, ended := newFake(t), newEnds()
	tried := newAttempts(d)
	l := d.start(reactor.Config{Slots: 1})
	spawn(t, l, dialers(t, reactor.Options{Linger: 4 * time.Second, OnEnd: ended.add}), dialer{"tcp4", "some.test:80", time.Minute, "last words", nil})
	ended.next(t)
	tried.wait(t, 1)
	steps(d, 30, 100*time.Millisecond, nil)
	tried.wait(t, 2)
	tried.finish(1, nil)
	if got := tried.socks[1].Written(); got != "last words" {
		t.Errorf("the second address: got %q, want \"last words\"", got)
	}
}

// Hundreds of dials that fail at the same time have an error each, with what was dialled.
func TestDialErrorsNameTheAddress(t *testing.T) {
	const many = 300 // more than a loop keeps different errors
	d := newFake(t)
	tried := newAttempts(d)
	l := d.start(reactor.Config{Slots: many + 2})
	k := dialers(t, reactor.Options{})
	errs := make([]error, many)
	for n := range many {
		spawn(t, l, k, dialer{"tcp", fmt.Sprint("127.0.0.1:", n+1), time.Minute, "", func(err error) { errs[n] = err }})
	}
	tried.wait(t, many)
	d.Do(func() { // all in one turn, or as many as Config.Events
		for n, s := range tried.socks {
			s.Err = fmt.Errorf("failure %d: %w", n, reactor.ErrRefused)
			s.Event(poll.Writable | poll.Error)
		}
	})
	for n, err := range errs {
		if want := fmt.Sprintf("reactor: dial tcp 127.0.0.1:%d: failure %d: refused", n+1, n); !errors.Is(err, reactor.ErrRefused) || err.Error() != want {
			t.Fatalf("got %v, want %s", err, want)
		}
	}

	told := make(chan error, 1)
	newNameServer(t, "127.0.0.1", "127.0.0.2")
	spawn(t, l, k, dialer{"tcp4", "some.test:80", time.Minute, "", func(err error) { told <- err }})
	tried.wait(t, many+1)
	tried.finish(many, reactor.ErrRefused)
	tried.wait(t, many+2)
	tried.finish(many+1, reactor.ErrRefused)
	if err, want := await(t, "the end of the dial", told), "reactor: dial tcp4 some.test:80: 127.0.0.2:80: refused"; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	d.Update(func() {
		d.OnConnect = func(*fakedriver.Socket, driver.Addr) (driver.Flow, error) { return 0, reactor.ErrRefused }
	})
	spawn(t, l, k, dialer{"tcp", "127.0.0.9:80", time.Minute, "", func(err error) { told <- err }})
	if err, want := await(t, "the end of the dial", told), "reactor: dial tcp 127.0.0.9:80: refused"; err.Error() != want {
		t.Errorf("a dial that fails at once: got %v, want %s", err, want)
	}
}
