// Package fakedriver is a driver for tests of a loop. Its clock stands still until the
// test moves it, and its sockets are streams whose peer is the test.
//
// A loop runs over it as over any driver: on a goroutine of its own, or, with
// Driver.NoWait, a turn at a time by a Stepper. Settle waits until the loop sleeps and
// nothing is left that would wake it. So what a test sees after Settle depends on
// nothing but the test's own steps.
//
// The driver checks the loop, too: the test fails if the loop uses a socket that is
// not open, or ends with a socket open.
package fakedriver

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// patience is how long Settle waits for the loop to sleep.
const patience = 30 * time.Second

// Driver is the driver of one loop. Its methods are those of driver.Driver, which the
// loop calls, and those of the test, which another goroutine may call at any time.
type Driver struct {
	// NoWait makes Wait return at once. It is for a loop that a Stepper runs.
	NoWait bool
	// OnConnect says what becomes of a connection to an address. If it is nil,
	// connections are open at once. It runs on the loop's goroutine. While the loop runs,
	// change it in Update.
	OnConnect func(s *Socket, to driver.Addr) (driver.Flow, error)

	t    testing.TB
	mu   sync.Mutex
	cond *sync.Cond

	now    int64
	events []poll.Event
	woken  bool
	asleep bool
	until  int64
	ended  bool
	held   bool // a loop that sleeps goes on sleeping
	caught sig.Set
	came   func(sig.Set)

	sockets []*Socket // by Sock-1
	closed  int       // how many of them are
}

var _ driver.Driver = (*Driver)(nil)

// New returns a driver without sockets. What the loop does wrong is an error of t.
func New(t testing.TB) *Driver {
	d := &Driver{t: t, now: int64(time.Hour)} // no loop may rely on a clock that begins at 0
	d.cond = sync.NewCond(&d.mu)
	return d
}

// Settle waits until the loop sleeps, or has ended.
func (d *Driver) Settle() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	late := time.AfterFunc(patience, func() { panic(fmt.Sprintf("fakedriver: after %v the loop does not sleep", patience)) })
	defer late.Stop()
	for !d.ended && !(d.asleep && !d.woken && len(d.events) == 0 && d.now < d.until) {
		d.cond.Wait()
	}
}

// Update changes sockets while the loop does not look at them.
func (d *Driver) Update(change func()) {
	d.mu.Lock()
	change()
	d.cond.Broadcast()
	d.mu.Unlock()
}

// Do is Update, then Settle.
func (d *Driver) Do(change func()) {
	d.t.Helper()
	d.Update(change)
	d.Settle()
}

// AtOnce calls f while the loop is kept asleep, so that all that f sends and updates
// comes to the loop in one turn. Then it settles.
func (d *Driver) AtOnce(f func()) {
	d.t.Helper()
	d.Settle()
	d.Update(func() { d.held = true })
	f()
	d.Do(func() { d.held = false })
}

// Advance moves the clock of a loop that sleeps, and waits until it has done what is
// due then.
func (d *Driver) Advance(by time.Duration) {
	d.t.Helper()
	d.Settle()
	d.Pass(by)
	d.Settle()
}

// Pass moves the clock. In a handler it is how long the handler takes.
func (d *Driver) Pass(by time.Duration) { d.Update(func() { d.now += int64(by) }) }

// SleepsUntil settles, and returns when the loop will wake by itself; ok is false for
// never.
func (d *Driver) SleepsUntil() (at time.Duration, ok bool) {
	d.Settle()
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.until), d.until != math.MaxInt64
}

// Ended reports whether the loop has closed the driver.
func (d *Driver) Ended() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// Now returns the clock. It begins at one hour.
func (d *Driver) Now() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// Wait sleeps until there are events, a Wake, or until has come.
func (d *Driver) Wait(dst []poll.Event, until int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.NoWait && (d.held && until != 0 || len(d.events) == 0 && !d.woken && d.now < until) {
		d.asleep, d.until = true, until
		d.cond.Broadcast()
		d.cond.Wait()
	}
	d.asleep = false
	d.woken = d.woken && until == 0 // a Wait that only looks leaves the Wake to the next one
	n := copy(dst, d.events)
	d.events = d.events[n:]
	return n, nil
}

// Wake ends a running Wait, or the next one.
func (d *Driver) Wake() { d.Update(func() { d.woken = true }) }

// ErrUncatchable is in the error of a Notify for a signal that can't be caught.
var ErrUncatchable = errors.New("can't be caught")

// Notify catches signals 1 to 31, except 9.
func (d *Driver) Notify(set sig.Set, came func(sig.Set)) error {
	if bad := set&^(1<<32-2) | set&(1<<9); bad != 0 {
		return fmt.Errorf("signals %v: %w", bad, ErrUncatchable)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.caught |= set
	d.came = came
	return nil
}

// Raise sends signals to the loop, one after the other. It is an error of the test's
// to raise one that the loop did not ask for.
func (d *Driver) Raise(signals ...sig.Set) {
	d.t.Helper()
	for _, s := range signals {
		d.mu.Lock()
		caught, came := d.caught, d.came
		d.mu.Unlock()
		if caught&s != s {
			d.t.Errorf("signal %v: got one that no machine asked for, which would end the process", s)
			continue
		}
		came(s)
	}
}

// End is an error of the test's if a socket is open.
func (d *Driver) End() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.sockets) != d.closed {
		d.t.Errorf("got %d sockets closed when the loop ended, want all %d", d.closed, len(d.sockets))
	}
	d.ended = true
	d.cond.Broadcast()
	return nil
}
