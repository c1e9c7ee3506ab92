//go:build unix || windows

package drivertest

import (
	"sync"
	"time"

	"github.com/stator-go/stator/reactor/poll"
)

// OverPoller returns a System with a Poller of the given backend and the descriptors of this
// machine. It does not support operations that need a loop.
func OverPoller(backend string) (System, error) {
	p, err := poll.NewBackend(backend)
	if err != nil {
		return nil, err
	}
	return &machine{p: p, start: time.Now()}, nil
}

// machine is a System with real descriptors.
type machine struct {
	Process
	p     *poll.Poller
	start time.Time
	batch []poll.Event // the events that the last Wait returned

	mu    sync.Mutex // guards files
	files []*file
	calls sync.WaitGroup // functions of After
}

// file is the descriptor of a File.
type file struct {
	fd       int
	closed   bool
	borrowed bool

	mu       sync.Mutex // guards the registration
	token    poll.Token
	interest poll.Interest
}

func (m *machine) put(f *file) File {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files = append(m.files, f)
	return File(len(m.files) - 1)
}

// get returns the descriptor of f. A File that does not exist has no open descriptor.
func (m *machine) get(f File) *file {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f < 0 || int(f) >= len(m.files) {
		return &file{fd: int(f)}
	}
	return m.files[f]
}

func (m *machine) Now() time.Duration { return time.Since(m.start) }
func (m *machine) Goroutines() error  { return nil }

func (m *machine) After(d time.Duration, f func()) error {
	m.calls.Add(1)
	time.AfterFunc(d, func() {
		defer m.calls.Done()
		f()
	})
	return nil
}

func (m *machine) Wait(dst []poll.Event, timeout time.Duration) (int, error) {
	n, err := m.p.Wait(dst, timeout)
	m.batch = dst[:n]
	return n, err
}

func (m *machine) Register(h File, t poll.Token, i poll.Interest) error {
	return m.watch(h, t, i, m.p.Register)
}

func (m *machine) Modify(h File, t poll.Token, i poll.Interest) error {
	return m.watch(h, t, i, m.p.Modify)
}

func (m *machine) watch(h File, t poll.Token, i poll.Interest, call func(int, poll.Token, poll.Interest) error) error {
	f := m.get(h)
	f.mu.Lock()
	defer f.mu.Unlock()
	err := call(f.fd, t, i)
	if err == nil {
		f.token, f.interest = t, i
	}
	return err
}

// wouldBlock re-arms the direction of an operation that would have blocked.
func (m *machine) wouldBlock(h File, dir poll.Interest) error {
	f := m.get(h)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.interest&dir != 0 && f.interest&poll.Edge != 0 {
		if err := m.p.Rearm(f.fd, f.token, dir|poll.Edge); err != nil {
			return err
		}
	}
	return ErrWouldBlock
}

func (m *machine) Remove(h File) error {
	f := m.get(h)
	f.mu.Lock()
	defer f.mu.Unlock()
	err := m.p.Remove(f.fd)
	if err == nil {
		f.interest = 0
	}
	return err
}

func (m *machine) Drop(h File) error {
	poll.Drop(m.batch, m.get(h).token)
	return nil
}

func (m *machine) Rearm(h File, i poll.Interest) error {
	f := m.get(h)
	f.mu.Lock()
	defer f.mu.Unlock()
	return m.p.Rearm(f.fd, f.token, i)
}

func (m *machine) NewWaker(t poll.Token) (Waker, error) { return poll.NewWaker(m.p, t) }
