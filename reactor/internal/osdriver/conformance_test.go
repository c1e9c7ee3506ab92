//go:build unix || windows

package osdriver_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stator-go/stator/fsm"

	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/driver/drivertest"
	"github.com/stator-go/stator/reactor/internal/osdriver"
	"github.com/stator-go/stator/reactor/poll"
)

// The cases of drivertest run over the operating system's driver: driverSystem is their
// System. Where the cases ask for more than a loop does, it does what a loop would do.

func newDriverSystem() (drivertest.System, error) {
	d, err := osdriver.New(20_000)
	if err != nil {
		return nil, err
	}
	s := &driverSystem{d: d}
	s.DriverCalls = drivertest.DriverCalls{
		Driver: d,
		Of:     func(f drivertest.File) (driver.Sock, string) { return s.get(f).sock, s.get(f).network },
		Put: func(sock driver.Sock, network string, flow driver.Flow) drivertest.File {
			return s.put(driverFile{sock: sock, network: network, dialled: flow&driver.WriteBlocked != 0})
		},
	}
	return s, nil
}

// driverSystem is a System over a Driver.
type driverSystem struct {
	drivertest.Process
	drivertest.DriverCalls
	d     driver.Driver
	calls sync.WaitGroup

	mu    sync.Mutex // of files, as After's functions run on other goroutines
	files []*driverFile
	waker poll.Token
}

// driverFile is what a File stands for, and what a loop would cache for it.
type driverFile struct {
	sock     driver.Sock
	network  string
	token    poll.Token
	interest poll.Interest
	dialled  bool
	writable bool // a loop assumes that it is, without an event
}

func (s *driverSystem) put(f driverFile) drivertest.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, &f)
	return drivertest.File(len(s.files) - 1)
}

func (s *driverSystem) get(f drivertest.File) *driverFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f < 0 || int(f) >= len(s.files) {
		return &driverFile{}
	}
	return s.files[f]
}

func (s *driverSystem) Now() time.Duration { return time.Duration(s.d.Now()) }

func (s *driverSystem) After(d time.Duration, f func()) error {
	s.calls.Add(1)
	time.AfterFunc(d, func() {
		defer s.calls.Done()
		f()
	})
	return nil
}

func (s *driverSystem) CloseAll() error {
	s.calls.Wait()
	for _, f := range s.files {
		if f.sock != 0 {
			s.d.Close(f.sock)
		}
	}
	return s.d.End()
}

// Wait translates the driver's events: it leaves out what the case did not ask for, and
// adds what a loop assumes without an event.
func (s *driverSystem) Wait(dst []poll.Event, timeout time.Duration) (int, error) {
	if len(dst) == 0 {
		return s.d.Wait(dst, 0)
	}
	until, now := int64(math.MaxInt64), s.d.Now()
	if timeout >= 0 && int64(timeout) < math.MaxInt64-now {
		until = now + int64(timeout)
	}
	if timeout == 0 || s.hasAssumed() {
		until = 0
	}
	for {
		n, err := s.d.Wait(dst, until)
		if err != nil {
			return 0, err
		}
		if n = s.translate(dst, n); n > 0 || until <= s.d.Now() {
			return n, nil
		}
	}
}

// hasAssumed reports whether there is something that a loop assumes without an event.
func (s *driverSystem) hasAssumed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.writable && f.sock != 0 {
			return true
		}
	}
	return false
}

// translate changes the first n events of dst to those of the case, and returns how many.
func (s *driverSystem) translate(dst []poll.Event, n int) (kept int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ev := range dst[:n] {
		if ev.Token == 1 {
			dst[kept] = poll.Event{Token: s.waker, Ready: poll.Readable}
			kept++
			continue
		}
		f := s.files[int(ev.Token>>8)-1]
		asked := poll.Ready(f.interest) & (poll.Readable | poll.Writable | poll.Priority)
		if ev.Ready&(poll.WriteClosed|poll.Error) != 0 {
			asked = ^poll.Ready(0)
		} else if asked&poll.Readable != 0 {
			asked |= poll.ReadClosed
		}
		if f.sock == 0 || ev.Ready&asked == 0 {
			continue
		}
		dst[kept] = poll.Event{Token: f.token, Ready: ev.Ready & asked}
		kept++
	}
	for _, f := range s.files {
		if !f.writable || f.sock == 0 {
			continue
		}
		at := 0
		for at < kept && dst[at].Token != f.token {
			at++
		}
		if at == len(dst) {
			break
		}
		if at == kept {
			dst[at] = poll.Event{Token: f.token}
			kept++
		}
		dst[at].Ready |= poll.Writable
		f.writable = false
	}
	return kept
}

func (s *driverSystem) Register(h drivertest.File, t poll.Token, i poll.Interest) error {
	const all = poll.Readable | poll.Writable | poll.Priority
	switch {
	case i&all == 0 || i&^(all|poll.Edge) != 0:
		return poll.ErrInterest
	case i&poll.Edge == 0:
		return fmt.Errorf("level-triggered events: %w", errors.ErrUnsupported)
	}
	f := s.get(h)
	if err := s.d.Register(f.sock, driver.EventData(h+1)<<8); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.token, f.interest = t, i
	f.writable = i&poll.Writable != 0 && f.assumedWritable() && s.d.Traits(f.sock)&driver.ReadOnly == 0
	return nil
}

// Rearm is not a call of a driver, which re-arms when a call would block.
func (s *driverSystem) Rearm(drivertest.File, poll.Interest) error {
	return fmt.Errorf("re-arming without a call that blocks: %w", errors.ErrUnsupported)
}

func (s *driverSystem) NewWaker(t poll.Token) (drivertest.Waker, error) {
	if s.waker != 0 {
		return nil, fmt.Errorf("a second waker: %w", errors.ErrUnsupported)
	}
	s.waker = t
	return &driverWaker{s: s}, nil
}

type driverWaker struct {
	s      *driverSystem
	closed atomic.Bool
}

func (w *driverWaker) Wake() error {
	if w.closed.Load() {
		return poll.ErrClosed
	}
	w.s.d.Wake()
	return nil
}

func (w *driverWaker) Close() error {
	if w.closed.Swap(true) {
		return poll.ErrClosed
	}
	return nil
}

func (s *driverSystem) Adopt(c syscall.Conn) (f drivertest.File, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sock driver.Sock
	if e := raw.Control(func(fd uintptr) { sock, err = s.d.Adopt(fd) }); e != nil || err != nil {
		return 0, notAdopted(errors.Join(e, err))
	}
	return s.put(driverFile{sock: sock, network: "tcp"}), nil
}

// Open tries to adopt a file.
func (s *driverSystem) Open(path string) (drivertest.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sock, err := s.d.Adopt(f.Fd())
	if err != nil {
		return 0, notAdopted(err)
	}
	return s.put(driverFile{sock: sock}), nil
}

// notAdopted returns the error of Adopt as a case expects it: a descriptor that cannot be
// waited for is unsupported by a driver, while a poller registers it and fails.
func notAdopted(err error) error {
	if errors.Is(err, driver.ErrNotPollable) {
		return fmt.Errorf("adopting what cannot be waited for: %w", errors.ErrUnsupported)
	}
	return err
}

// Calls hands the descriptor to a loop with a machine that counts its calls.
func (s *driverSystem) Calls(h drivertest.File) (int, error) {
	f := s.get(h)
	if err := s.d.Register(f.sock, driver.EventData(h+1)<<8); err != nil {
		return 0, err
	}
	fd, err := s.d.Release(f.sock)
	if err != nil {
		return 0, err
	}
	f.sock = 0
	var calls atomic.Int32
	k, err := reactor.NewKind("counting", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{{},
		{Name: "reading", Wait: reactor.Port(0).Readable(), Idle: fsm.Never,
			OnReady: func(_ *struct{}, cx *reactor.Context[reactor.None], _ reactor.Ready) fsm.State {
				var b [1]byte
				calls.Add(1)
				_, err := cx.Read(reactor.Port(0), b[:])
				return cx.Fail(err)
			}}})
	if err != nil {
		return 0, err
	}
	l, err := reactor.NewLoop(reactor.Config{Slots: 4})
	if err != nil {
		return 0, err
	}
	if _, err := k.Adopt(l, os.NewFile(fd, "counted"), struct{}{}); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	l.Run(ctx)
	return int(calls.Load()), nil
}

func (s *driverSystem) Close(h drivertest.File) error { return s.closeBy(h, s.d.Close) }
func (s *driverSystem) Reset(h drivertest.File) error { return s.closeBy(h, s.d.Reset) }

func (s *driverSystem) closeBy(h drivertest.File, end func(driver.Sock) error) error {
	s.mu.Lock()
	f := s.files[h]
	sock := f.sock
	f.sock = 0
	s.mu.Unlock()
	if sock == 0 {
		return syscall.EBADF
	}
	return end(sock)
}
