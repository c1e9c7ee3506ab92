//go:build unix || windows

package osdriver

import (
	"math"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// The operating system's driver, as far as all systems have it alike: a poller to
// wait with, a clock, signals, and the table of what is open.
//
//	os.go, rows.go, sockaddr.go   what is the same everywhere
//	os_unix.go, net_unix.go, ...  the calls of Unix, and what their answers mean
//	sys_linux.go                  how Linux makes them: raw, where they cannot block
//	sys_plain.go                  how package unix makes them, on any other Unix
//	open_*.go, unsent_*.go        ways that several systems have
//	have_GOOS.go                  what this system has
//	os_windows.go, ...            the calls of Winsock
//
// The tag stator_plain has Linux make its calls as any other Unix, so that its tests
// are theirs, too.

// common is what the operating system's Driver, osDriver, has on every system.
type common struct {
	poller  *poll.Poller
	edges   bool // the poller's kernel knows them
	waker   *poll.Waker
	start   time.Time
	signals *sig.Source // made at the first Notify
	rows    []row       // by Sock; 0 is none
	free    driver.Sock
	used    driver.Sock
}

func New(socks int) (*Driver, error) {
	p, err := poll.New()
	if err != nil {
		return nil, err
	}
	w, err := poll.NewWaker(p, poll.Token(driver.OwnEvent(0, 0, driver.SourceWaker)))
	if err != nil {
		p.Close()
		return nil, err
	}
	d := &Driver{common: common{poller: p, edges: p.Edges(), waker: w, start: time.Now(), rows: make([]row, 4*socks+256)}}
	d.rows[0].fd = noDescriptor
	return d, nil
}

func (d *Driver) Now() int64 { return int64(time.Since(d.start)) + 1 }

func (d *Driver) Wake() { d.waker.Wake() }

// wait collects events, at the latest until the clock says until.
func (d *Driver) wait(dst []poll.Event, until int64) (int, error) {
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

// refusedError is an error of the system's that is ErrRefused too. It is comparable, as
// those are, so that all ports share its number.
type refusedError struct{ why error }

func (e refusedError) Error() string   { return driver.ErrRefused.Error() + ": " + e.why.Error() }
func (e refusedError) Unwrap() []error { return []error{driver.ErrRefused, e.why} }
