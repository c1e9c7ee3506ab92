package sim

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/driver/drivertest"
	"github.com/stator-go/stator/reactor/poll"
)

// The simulated driver passes the cases that drivers of real kernels pass, except those in
// Skips and those of calls that a driver does not have.
func TestConformance(t *testing.T) {
	report := drivertest.Run(t, drivertest.Backend{
		Name: "simulated",
		New:  func() (drivertest.System, error) { return newSimulated(), nil },
		Skips: map[int]string{
			10: "a driver belongs to one goroutine",
			41: "no ICMP errors",
		},
	})
	t.Logf("skipped:\n%s", drivertest.Table(report))
}

// simulated is the System of a World without loops: its clock moves as far as a
// wait asks.
type simulated struct {
	unimplemented
	drivertest.DriverCalls
	w      *World
	d      *simDriver
	wrong  wrong
	files  []*simFile
	calls  []simCall
	wakers []*simWaker
}

// wrong is the first misuse of a driver, and any other thing that must not be.
type wrong struct{ err error }

func (w *wrong) Wants() []What { return []What{Misuse, SetupFailed, Panics, Idles, Chatters} }

func (w *wrong) Observe(o *Observation) {
	if w.err == nil {
		w.err = fmt.Errorf("observation %d: %s %v", o.What, o.Name, o.Err)
	}
}

// unimplemented embeds Unimplemented one level deeper than simulated embeds DriverCalls, so
// the methods of DriverCalls win.
type unimplemented struct{ drivertest.Unimplemented }

type simFile struct {
	sock     driver.Sock
	network  string
	token    poll.Token
	interest poll.Interest
}

type simCall struct {
	at int64
	f  func()
}

func newSimulated() *simulated {
	w := New(Config{Loops: 1, Conns: 4, Peers: func(driver.Addr) Peer { return Refuses }})
	w.clear()
	w.drivers = append(w.drivers, w.newDriver(0))
	s := &simulated{w: w, d: w.drivers[0]}
	w.Attach(&s.wrong)
	s.DriverCalls = drivertest.DriverCalls{
		Driver: s.d,
		Of:     func(f drivertest.File) (driver.Sock, string) { return s.get(f).sock, s.get(f).network },
		Put: func(sock driver.Sock, network string, _ driver.Flow) drivertest.File {
			return s.put(sock, network)
		},
	}
	return s
}

func (s *simulated) put(sock driver.Sock, network string) drivertest.File {
	s.files = append(s.files, &simFile{sock: sock, network: network})
	return drivertest.File(len(s.files) - 1)
}

func (s *simulated) get(f drivertest.File) *simFile {
	if f < 0 || int(f) >= len(s.files) {
		return &simFile{}
	}
	return s.files[f]
}

func (s *simulated) Now() time.Duration { return time.Duration(s.w.now) }
func (s *simulated) Interrupt() error   { return nil }

func (s *simulated) After(d time.Duration, f func()) error {
	s.calls = append(s.calls, simCall{s.w.now + int64(d), f})
	return nil
}

// Shut fails when the driver was used in a way that its contract forbids.
func (s *simulated) CloseAll() error {
	for _, f := range s.files {
		if f.sock != 0 {
			s.d.Close(f.sock)
		}
	}
	if err := s.d.End(); err != nil {
		return err
	}
	return s.wrong.err
}

func (s *simulated) Wait(dst []poll.Event, timeout time.Duration) (int, error) {
	until := int64(math.MaxInt64)
	if timeout >= 0 && int64(timeout) < until-s.w.now {
		until = s.w.now + int64(timeout)
	}
	for {
		n := s.wakes(dst)
		k, err := s.d.Wait(dst[n:], until)
		if n += s.translate(dst[n:], k); n > 0 || err != nil || s.w.now >= until {
			return n, err
		}
		s.pass(until)
	}
}

// pass lets time pass until the next call is due, and makes it.
func (s *simulated) pass(until int64) {
	first := -1
	for i, c := range s.calls {
		if c.at <= until && (first < 0 || c.at < s.calls[first].at) {
			first = i
		}
	}
	if first < 0 {
		if until == math.MaxInt64 {
			panic("a wait for ever in which nothing can happen")
		}
		s.w.now = until
		return
	}
	c := s.calls[first]
	s.calls = append(s.calls[:first], s.calls[first+1:]...)
	s.w.now = max(s.w.now, c.at)
	c.f()
}

func (s *simulated) wakes(dst []poll.Event) (n int) {
	for _, w := range s.wakers {
		if w.rung && n < len(dst) {
			w.rung = false
			dst[n] = poll.Event{Token: w.token, Ready: poll.Readable}
			n++
		}
	}
	return n
}

// translate leaves out what was not asked for.
func (s *simulated) translate(dst []poll.Event, n int) (kept int) {
	for _, ev := range dst[:n] {
		f := s.files[int(ev.Token>>8)-1]
		asked := poll.Ready(f.interest) & (poll.Readable | poll.Writable | poll.Priority)
		if ev.Ready&(poll.WriteClosed|poll.Error) != 0 {
			asked = ^poll.Ready(0)
		} else if asked&poll.Readable != 0 {
			asked |= poll.ReadClosed
		}
		if f.sock != 0 && ev.Ready&asked != 0 {
			dst[kept] = poll.Event{Token: f.token, Ready: ev.Ready & asked}
			kept++
		}
	}
	return kept
}

func (s *simulated) Register(h drivertest.File, t poll.Token, i poll.Interest) error {
	const all = poll.Readable | poll.Writable | poll.Priority
	f := s.get(h)
	switch {
	case i&all == 0 || i&^(all|poll.Edge) != 0:
		return poll.ErrInterest
	case i&poll.Edge == 0:
		return fmt.Errorf("levels: %w", errors.ErrUnsupported)
	case f.sock == 0:
		return poll.ErrBadDescriptor
	}
	err := s.d.Register(f.sock, driver.EventData(h+1)<<8)
	if errors.Is(err, poll.ErrExist) {
		s.wrong.err = nil // it was asked for
	}
	if err == nil {
		f.token, f.interest = t, i
	}
	return err
}

func (s *simulated) Rearm(drivertest.File, poll.Interest) error { return nil }

type simWaker struct {
	token        poll.Token
	rung, closed bool
}

func (s *simulated) NewWaker(t poll.Token) (drivertest.Waker, error) {
	w := &simWaker{token: t}
	s.wakers = append(s.wakers, w)
	return w, nil
}

func (w *simWaker) Wake() error {
	if w.closed {
		return poll.ErrClosed
	}
	w.rung = true
	return nil
}

func (w *simWaker) Close() error { w.closed = true; return nil }

func (s *simulated) Pair(network string) (a, b drivertest.File, err error) {
	if network == "unixgram" {
		return 0, 0, errors.ErrUnsupported
	}
	x, y := s.w.pair(s.d, s.d)
	return s.put(x.id, network), s.put(y.id, network), nil
}

func (s *simulated) Number(h drivertest.File) (int, error) {
	return int(s.get(h).sock) & rowMask, nil
}

func (s *simulated) Descriptors() (int, error) { return s.d.open, nil }

// Exhaust makes accepting fail as it does without descriptors.
func (s *simulated) Exhaust() (func(), error) {
	s.d.armed.accepts, s.d.armed.acceptErr = math.MaxInt, errno.EMFILE
	return func() { s.d.armed = armedLoop{} }, nil
}

// Calls hands the socket to a loop of another world, with a machine that counts.
func (s *simulated) Calls(h drivertest.File) (int, error) {
	p := s.w.sockets[int(s.get(h).sock)&rowMask]
	text := string(p.in.bytes())
	calls, then := 0, 0
	k := byteReader(&calls)
	w := New(Config{Loops: 1, Conns: 4, Loop: reactor.Config{Slots: 64}, Dict: trace.Dictionary{text}, Setup: func(w *World) error {
		w.Action("look", func(int) { then = calls })
		_, err := k.Listen(w.Loop(0), "tcp", ":1", struct{}{})
		return err
	}})
	var bad wrong
	w.Attach(&bad)
	w.Run(trace.Trace{{Op: trace.Dial, Hold: true}, {Op: trace.Send}, {Op: trace.Act}}, Options{})
	return then, bad.err
}

func (s *simulated) Close(h drivertest.File) error { return s.closeBy(h, s.d.Close) }
func (s *simulated) Reset(h drivertest.File) error { return s.closeBy(h, s.d.Reset) }

func (s *simulated) closeBy(h drivertest.File, end func(driver.Sock) error) error {
	f := s.get(h)
	sock := f.sock
	f.sock = 0
	if sock == 0 {
		return errno.EBADF
	}
	return end(sock)
}

// byteReader reads one byte a call, and counts calls.
func byteReader(calls *int) *reactor.Kind[struct{}, reactor.None] {
	return reactor.Must(reactor.NewKind("counting", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{},
		{Name: "reading", Wait: reactor.Port(0).Readable(), Idle: fsm.After(time.Second, fsm.Stop),
			OnReady: func(_ *struct{}, cx *reactor.Context[reactor.None], _ reactor.Ready) fsm.State {
				var b [1]byte
				*calls++
				_, err := cx.Read(0, b[:])
				return cx.Fail(err)
			}}}))
}
