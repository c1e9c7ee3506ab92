//go:build unix || windows

package osdriver

import (
	"math"
	"time"

	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// base is the part of a Driver that is the same on every system: a poller to wait with,
// a clock, signals, and the table of open sockets.
type base struct {
	poller        *poll.Poller
	edgeTriggered bool // the kernel is, so that Rearm is not needed
	waker         *poll.Waker
	start         time.Time
	signals       *sig.Source // opened by the first Notify
	retries       retryQueue

	sockets []socketEntry // by Sock; entry 0 is that of no socket
	free    driver.Sock   // the first free entry, 0 for none; its data is the next one
	used    driver.Sock   // the highest Sock that was ever given out

	keepAlives map[driver.Sock]driver.KeepAlive // of listeners that have one which is not the default
}

// New returns the driver for a loop with slots for so many machines. Its table has room
// for the four ports of each, and for 256 sockets more.
func New(slots int) (*Driver, error) {
	p, err := poll.New()
	if err != nil {
		return nil, err
	}
	w, err := poll.NewWaker(p, poll.Token(driver.OwnEvent(0, 0, driver.SourceWaker)))
	if err != nil {
		p.Close()
		return nil, err
	}
	d := &Driver{base: base{poller: p, edgeTriggered: p.Edges(), waker: w, start: time.Now()}}
	d.sockets = pages.Alloc[Driver, socketEntry](d, 4*slots+256)
	d.sockets[0].fd = noDescriptor
	return d, nil
}

// Now starts at 1, so that 0 can stand for no time.
func (d *Driver) Now() int64 { return int64(time.Since(d.start)) + 1 }

func (d *Driver) Wake() { d.waker.Wake() }

// Wait returns first the events that the driver makes by time: see retry.go.
func (d *Driver) Wait(dst []poll.Event, until int64) (int, error) {
	retried := 0
	if len(d.retries.sockets) > 0 {
		if retried = d.collectRetries(dst); retried == len(dst) {
			return retried, nil
		}
		if until = min(until, d.retries.dueAt); retried > 0 {
			until = 0
		}
	}
	n, err := d.pollUntil(dst[retried:], until)
	return retried + n, err
}

// pollUntil is Wait, as far as the poller has the events.
func (d *Driver) pollUntil(dst []poll.Event, until int64) (int, error) {
	timeout := time.Duration(-1)
	if until != math.MaxInt64 {
		if timeout = 0; until != 0 {
			timeout = max(0, time.Duration(until-d.Now()))
		}
	}
	return d.poller.Wait(dst, timeout)
}

func (d *Driver) Notify(set sig.Set, came func(sig.Set)) error {
	if d.signals == nil {
		source, err := sig.Open(func() { came(d.signals.Take()) })
		if err != nil {
			return err
		}
		d.signals = source // before the first signal is asked for
	}
	return d.signals.Notify(set)
}

func (d *Driver) End() error {
	if d.signals != nil {
		d.signals.Close()
	}
	d.waker.Close()
	return d.poller.Close()
}

// refusedError is an error of the system's that is driver.ErrRefused, too. It is
// comparable, so that the loop keeps equal errors of many ports once.
type refusedError struct{ err error }

func (e refusedError) Error() string   { return driver.ErrRefused.Error() + ": " + e.err.Error() }
func (e refusedError) Unwrap() []error { return []error{driver.ErrRefused, e.err} }
