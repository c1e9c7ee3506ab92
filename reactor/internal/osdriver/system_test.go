//go:build unix || windows

package osdriver_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
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

// overDriver is a System of a reactor.Driver.
func overDriver() (drivertest.System, error) {
	d, err := osdriver.New(20_000)
	if err != nil {
		return nil, err
	}
	s := &driven{d: d}
	s.DriverCalls = drivertest.DriverCalls{Driver: d, Sock: func(f drivertest.File) driver.Sock { return s.get(f).sock }}
	return s, nil
}

type driven struct {
	drivertest.Process
	drivertest.DriverCalls
	d     driver.Driver
	calls sync.WaitGroup

	mu    sync.Mutex // of files, for what After calls
	files []*drivenFile
	waker poll.Token
}

// drivenFile is what a File stands for, and the row of the loop's cache for it.
type drivenFile struct {
	sock     driver.Sock
	network  string
	token    poll.Token
	interest poll.Interest
	dialled  bool
	writable bool // as a loop takes it for granted: no event will tell
}

func (s *driven) put(f drivenFile) drivertest.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, &f)
	return drivertest.File(len(s.files) - 1)
}

func (s *driven) get(f drivertest.File) *drivenFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f < 0 || int(f) >= len(s.files) {
		return &drivenFile{}
	}
	return s.files[f]
}

func (s *driven) Now() time.Duration { return time.Duration(s.d.Now()) }

func (s *driven) After(d time.Duration, f func()) error {
	s.calls.Add(1)
	time.AfterFunc(d, func() {
		defer s.calls.Done()
		f()
	})
	return nil
}

func (s *driven) Shut() error {
	s.calls.Wait()
	for _, f := range s.files {
		if f.sock != 0 {
			s.d.Close(f.sock)
		}
	}
	return s.d.End()
}

// Wait translates what the driver tells: what was not asked for is left out, what
// a loop knows without an event is put in.
func (s *driven) Wait(dst []poll.Event, timeout time.Duration) (int, error) {
	if len(dst) == 0 {
		return s.d.Wait(dst, 0)
	}
	until, now := int64(math.MaxInt64), s.d.Now()
	if timeout >= 0 && int64(timeout) < math.MaxInt64-now {
		until = now + int64(timeout)
	}
	if timeout == 0 || s.known() {
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

// known tells whether there is something to tell that no event brings.
func (s *driven) known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.writable && f.sock != 0 {
			return true
		}
	}
	return false
}

func (s *driven) translate(dst []poll.Event, n int) (kept int) {
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

func (s *driven) Register(h drivertest.File, t poll.Token, i poll.Interest) error {
	const all = poll.Readable | poll.Writable | poll.Priority
	switch {
	case i&all == 0 || i&^(all|poll.Edge) != 0:
		return poll.ErrInterest
	case i&poll.Edge == 0:
		return fmt.Errorf("levels: %w", errors.ErrUnsupported)
	}
	f := s.get(h)
	if err := s.d.Register(f.sock, driver.EventData(h+1)<<8); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.token, f.interest = t, i
	f.writable = i&poll.Writable != 0 && f.writes() && s.d.Traits(f.sock)&driver.ReadOnly == 0
	return nil
}

// Rearm has nothing to do: the driver re-arms as its calls block.
func (s *driven) Rearm(drivertest.File, poll.Interest) error {
	return fmt.Errorf("re-arming without a call that blocks: %w", errors.ErrUnsupported)
}

func (s *driven) NewWaker(t poll.Token) (drivertest.Waker, error) {
	if s.waker != 0 {
		return nil, fmt.Errorf("a second waker: %w", errors.ErrUnsupported)
	}
	s.waker = t
	return &drivenWaker{s: s}, nil
}

type drivenWaker struct {
	s      *driven
	closed atomic.Bool
}

func (w *drivenWaker) Wake() error {
	if w.closed.Load() {
		return poll.ErrClosed
	}
	w.s.d.Wake()
	return nil
}

func (w *drivenWaker) Close() error {
	if w.closed.Swap(true) {
		return poll.ErrClosed
	}
	return nil
}

func drivenAddr(network, addr string) (driver.Addr, error) {
	switch network {
	case "unix":
		return driver.Addr{Net: driver.Unix, Path: addr}, nil
	case "unixgram":
		return driver.Addr{Net: driver.Unixgram, Path: addr}, nil
	}
	ip, err := netip.ParseAddrPort(addr)
	if network == "udp" {
		return driver.Addr{Net: driver.UDP, IP: ip}, err
	}
	return driver.Addr{Net: driver.TCP, IP: ip}, err
}

func (s *driven) open(network, addr string, open func(driver.Addr, driver.SocketOptions) (driver.Sock, error)) (drivertest.File, string, error) {
	a, err := drivenAddr(network, addr)
	if err != nil {
		return 0, "", err
	}
	sock, err := open(a, driver.SocketOptions{})
	if errors.Is(err, driver.ErrUnsupported) {
		err = fmt.Errorf("no %s socket: %w", network, errors.ErrUnsupported)
	}
	if err != nil {
		return 0, "", err
	}
	name, err := s.d.Addr(sock, driver.Local)
	return s.put(drivenFile{sock: sock, network: network}), name.String(), err
}

func (s *driven) Listen(network, addr string) (drivertest.File, string, error) {
	return s.open(network, addr, s.d.Listen)
}

func (s *driven) Bind(network, addr string) (drivertest.File, string, error) {
	return s.open(network, addr, s.d.Bind)
}

func (s *driven) Dial(network, addr string) (drivertest.File, error) {
	var flow driver.Flow
	f, _, err := s.open(network, addr, func(a driver.Addr, o driver.SocketOptions) (sock driver.Sock, err error) {
		sock, flow, err = s.d.Connect(a, o)
		return sock, err
	})
	if err == nil {
		s.get(f).dialled = flow&driver.WriteBlocked != 0
	}
	return f, err
}

func (s *driven) FinishConnect(h drivertest.File) error {
	flow, err := s.d.FinishConnect(s.get(h).sock)
	if err == nil && flow&driver.WriteBlocked != 0 {
		return syscall.ENOTCONN
	}
	return err
}

func (s *driven) Accept(h drivertest.File) (drivertest.File, error) {
	f := s.get(h)
	sock, flow, err := s.d.Accept(f.sock)
	if err != nil {
		return 0, err
	}
	if sock == 0 && flow&driver.ReadBlocked != 0 {
		return 0, drivertest.ErrWouldBlock
	}
	return s.put(drivenFile{sock: sock, network: f.network}), nil
}

func (s *driven) Adopt(c syscall.Conn) (f drivertest.File, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sock driver.Sock
	if e := raw.Control(func(fd uintptr) { sock, err = s.d.Adopt(fd) }); e != nil || err != nil {
		return 0, notAdopted(errors.Join(e, err))
	}
	return s.put(drivenFile{sock: sock, network: "tcp"}), nil
}

// Open tries to adopt a file.
func (s *driven) Open(path string) (drivertest.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sock, err := s.d.Adopt(f.Fd())
	if err != nil {
		return 0, notAdopted(err)
	}
	return s.put(drivenFile{sock: sock}), nil
}

// notAdopted is why a descriptor was not: nothing comes of one that cannot be waited for.
func notAdopted(err error) error {
	if errors.Is(err, driver.ErrNotPollable) {
		return fmt.Errorf("what cannot be waited for is not adopted: %w", errors.ErrUnsupported)
	}
	return err
}

// Calls hands the descriptor to a loop with a machine that counts.
func (s *driven) Calls(h drivertest.File) (int, error) {
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

func (s *driven) SendTo(h drivertest.File, b []byte, to string) (int, error) {
	f := s.get(h)
	a, err := drivenAddr(f.network, to)
	if err != nil {
		return 0, err
	}
	n, flow, err := s.d.Send(f.sock, b, a)
	if err == nil && flow&driver.WriteBlocked != 0 {
		return 0, drivertest.ErrWouldBlock
	}
	return n, err
}

func (s *driven) Close(h drivertest.File) error {
	s.mu.Lock()
	f := s.files[h]
	sock := f.sock
	f.sock = 0
	s.mu.Unlock()
	if sock == 0 {
		return syscall.EBADF
	}
	return s.d.Close(sock)
}
