package poll

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-go/stator/slab"
)

// Token identifies a descriptor in its events. All 64 bits belong to the caller: the
// Poller does not interpret them, and several descriptors may have the same token. Use
// the tokens of package slab to detect events of a descriptor that was closed meanwhile:
// their generation differs.
type Token = slab.Token

// The bits that Interest and Ready have in common. They are untyped constants, so they
// can be used as both.
//
//	  7   6   5             4             3            2          1          0
//	+---+---+-------+-------------+-------------+----------+----------+----------+
//	| - | - | Error | WriteClosed | ReadClosed  | Priority | Writable | Readable |  Ready
//	| Edge  |   -   |      -      |      -      | Priority | Writable | Readable |  Interest
//	+---+---+-------+-------------+-------------+----------+----------+----------+
const (
	Readable = 1 << 0 // a read would not block: there is data, the end, or an error
	Writable = 1 << 1 // a write would not block: there is room, or an error
	Priority = 1 << 2 // urgent data, such as that of TCP; not reported by kqueue on freebsd and netbsd
)

// Interest is the readiness to watch a descriptor for: at least one of Readable, Writable
// and Priority, optionally with Edge.
type Interest uint8

// Edge asks for events when readiness begins and not as long as it lasts; see
// "Level-triggered and edge-triggered events" in the package comment.
const Edge Interest = 1 << 7

// Ready is the readiness that an event reports: Readable, Writable, Priority and the bits
// below. "Ends and errors" in the package comment lists which bits each backend sets.
type Ready uint8

const (
	// ReadClosed means that the peer sends no more; data that it sent before can still
	// be read. poll(2) outside Linux does not report it: there, a half-closed connection
	// is only Readable, and a read returns the end.
	ReadClosed Ready = 1 << 3
	// WriteClosed means that the peer does not accept data any more. For a datagram
	// socket it means only that SO_ERROR, or the next operation, returns an error.
	WriteClosed Ready = 1 << 4
	// Error means that the next operation, or SO_ERROR, returns an error.
	Error Ready = 1 << 5
)

// Event reports that the descriptor registered with Token is Ready.
type Event struct {
	Token Token
	Ready Ready
}

var (
	// ErrExist is returned by Register for a descriptor that is already registered.
	ErrExist = errors.New("already registered")
	// ErrNotExist is returned by Modify, Rearm and Remove for a descriptor that is not
	// registered.
	ErrNotExist = errors.New("not registered")
	// ErrNotPollable is returned by Register for a regular file, a directory, and other
	// files that the kernel does not report: on macOS these include FIFOs and /dev/tty.
	ErrNotPollable = errors.New("not pollable: want a socket, pipe, terminal or the like")
	// ErrBadDescriptor is returned for a number that is not an open descriptor.
	ErrBadDescriptor = errors.New("not an open descriptor")
	// ErrInterest is returned for an Interest without Readable, Writable or Priority, or
	// with unknown bits.
	ErrInterest = errors.New("want Readable, Writable or Priority, with Edge or without")
	// ErrNoRoom is returned by Wait if its slice is empty.
	ErrNoRoom = errors.New("no room: want a slice of at least one event")
	// ErrBusy is returned by Wait while another goroutine is in Wait.
	ErrBusy = errors.New("another goroutine waits")
	// ErrClosed is returned by all methods once the Poller, or the Waker, is closed.
	ErrClosed = errors.New("closed")
	// ErrUnsupported is returned by New if the platform does not have the backend.
	ErrUnsupported = errors.New("unsupported")
)

// yieldEvery is how often a Wait that finds events yields its processor. Its system calls
// are too short for the scheduler to take the processor away, and the runtime preempts a
// goroutine only after 10 ms.
const yieldEvery = 100 * time.Microsecond

// backend is the part of a Poller that depends on the platform. It returns the errors of
// the kernel; Poller adds their names and what was attempted.
type backend interface {
	register(fd int, t Token, i Interest) error
	modify(fd int, t Token, i Interest) error
	rearm(fd int, t Token, i Interest) error // not called if edges returns true
	edges() bool                             // reports whether the kernel has edges
	remove(fd int) error

	// wait is called by one goroutine at a time.
	wait(dst []Event, timeout time.Duration) (int, error)
	// interrupt makes the current wait, and all later ones, return ErrClosed.
	interrupt()
	// close is called once, while no other method runs.
	close() error

	// addWaker lets wake(w) end a wait; removeWaker ends that.
	addWaker(w *Waker) error
	removeWaker(w *Waker)
	// wake is called once for each event of w.
	wake(w *Waker) error
}

// Poller waits until descriptors are ready. Create it with [New]. Only one goroutine at a
// time may call Wait; any goroutine may call the other methods at any time.
type Poller struct {
	name string
	b    backend

	// published orders memory accesses before a Register before those after the Wait
	// that returns its event. The race detector relies on it.
	published atomic.Uint64

	// mu keeps the backend open: it is read-locked by all methods but Wait while they
	// use the backend.
	mu     sync.RWMutex
	closed bool
	wakers wakers

	waiting sync.Mutex // held by Wait
	start   time.Time
	yielded time.Duration // since start
}

// New returns a Poller with the best backend of the platform, or with the one that the
// environment variable STATOR_POLLER names.
func New() (*Poller, error) {
	if name := os.Getenv("STATOR_POLLER"); name != "" {
		return NewBackend(name)
	}
	if len(backends) == 0 {
		return nil, fmt.Errorf("poll: %w on %s", ErrUnsupported, runtime.GOOS)
	}
	return NewBackend(backends[0].name)
}

// NewBackend returns a Poller with the backend of the given name, one of [Backends].
func NewBackend(name string) (*Poller, error) {
	for _, o := range backends {
		if o.name != name {
			continue
		}
		p := &Poller{name: name, start: time.Now()}
		b, err := o.open(&p.wakers)
		if err != nil {
			return nil, fmt.Errorf("poll: open %s: %w", name, err)
		}
		p.b = b
		return p, nil
	}
	return nil, fmt.Errorf("poll: backend %q: %w on %s: want one of %q", name, ErrUnsupported, runtime.GOOS, Backends())
}

// Backends returns the names of the platform's backends, the best one first.
func Backends() []string {
	names := make([]string, len(backends))
	for i, b := range backends {
		names[i] = b.name
	}
	return names
}

// Backend returns the name of p's backend, such as "epoll".
func (p *Poller) Backend() string { return p.name }

// Register starts to watch a descriptor, also for a Wait that is blocked. Memory written
// before Register is visible to the goroutine that gets the descriptor's event. On
// Windows, fd is the handle of a socket.
//
// The error wraps ErrExist, ErrNotPollable, ErrBadDescriptor, ErrInterest or ErrClosed, or
// it is an error of the kernel, such as that of its limits.
func (p *Poller) Register(fd int, t Token, i Interest) error {
	return p.control("register", fd, t, i, backend.register)
}

// Modify replaces the token and the interest of a registered descriptor. With Edge,
// readiness that exists already is reported again. The error wraps ErrNotExist if the
// descriptor is not registered; the others are those of Register.
func (p *Poller) Modify(fd int, t Token, i Interest) error {
	return p.control("modify", fd, t, i, backend.modify)
}

// Rearm asks for the next event of a descriptor with Edge, after an operation would have
// blocked. i is the direction of the operation, t the token that is registered. If the
// kernel has edges, Rearm does nothing and takes a nanosecond.
func (p *Poller) Rearm(fd int, t Token, i Interest) error {
	if p.Edges() {
		return nil
	}
	return p.control("rearm", fd, t, i, backend.rearm)
}

// Edges reports whether the kernel has edges, so that Rearm does nothing.
func (p *Poller) Edges() bool { return p.b.edges() }

// Remove stops watching a descriptor; call it before the descriptor is closed. No Wait that
// begins afterwards returns an event of it. Use [Drop] to remove its events from those
// that the last Wait returned.
func (p *Poller) Remove(fd int) error {
	return p.control("remove", fd, 0, Readable, func(b backend, fd int, _ Token, _ Interest) error {
		return b.remove(fd)
	})
}

// Drop sets Ready to 0 in the events with token t. Call it together with Remove, for the
// rest of the events that Wait returned, unless stale events can be recognized by the
// generation of their tokens.
func Drop(rest []Event, t Token) {
	for i := range rest {
		if rest[i].Token == t {
			rest[i].Ready = 0
		}
	}
}

// control checks the arguments of a change of a registration and makes it by calling f.
// what names the change in errors.
func (p *Poller) control(what string, fd int, t Token, i Interest, f func(backend, int, Token, Interest) error) error {
	if err := i.check(); err != nil {
		return fmt.Errorf("poll: %s descriptor %d: interest %#x: %w", what, fd, uint8(i), err)
	}
	if fd < 0 || int(int32(fd)) != fd {
		return fmt.Errorf("poll: %s descriptor %d: %w", what, fd, ErrBadDescriptor)
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return fmt.Errorf("poll: %s descriptor %d: poller %w", what, fd, ErrClosed)
	}
	p.published.Add(1)
	if err := f(p.b, fd, t, i); err != nil {
		return fmt.Errorf("poll: %s descriptor %d: %w", what, fd, wrapErrno(err))
	}
	return nil
}

// Wait stores events in dst and returns their number. It blocks until there is at least
// one, or until timeout has passed; then it returns 0 and no error. A negative timeout
// means no limit, 0 means not to block. Events that do not fit in dst are returned by the
// next Wait, those that waited longest first.
func (p *Poller) Wait(dst []Event, timeout time.Duration) (int, error) {
	if len(dst) == 0 {
		return 0, fmt.Errorf("poll: wait: %w", ErrNoRoom)
	}
	if !p.waiting.TryLock() {
		return 0, p.waitError()
	}
	if now := time.Since(p.start); now-p.yielded > yieldEvery {
		p.yielded = now
		runtime.Gosched()
	}
	n, err := p.b.wait(dst, timeout)
	p.published.Load()
	p.waiting.Unlock()
	if err != nil {
		return n, fmt.Errorf("poll: wait: %w", err)
	}
	return n, nil
}

// waitError returns the error of a Wait while waiting is locked, by another Wait or by
// Close.
func (p *Poller) waitError() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return fmt.Errorf("poll: wait: %w", ErrClosed)
	}
	return fmt.Errorf("poll: wait: %w", ErrBusy)
}

// Close makes a blocked Wait return ErrClosed and releases the resources of the Poller,
// including its Wakers. Registered descriptors stay open.
func (p *Poller) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return fmt.Errorf("poll: close: %w", ErrClosed)
	}
	p.closed = true
	p.mu.Unlock()

	p.b.interrupt()
	p.waiting.Lock() // never unlocked, so every later Wait fails
	for _, w := range p.wakers.all() {
		w.close()
	}
	if err := p.b.close(); err != nil {
		return fmt.Errorf("poll: close: %w", err)
	}
	return nil
}

// check returns ErrInterest if i cannot be registered.
func (i Interest) check() error {
	if i&(Readable|Writable|Priority) == 0 || i&^(Readable|Writable|Priority|Edge) != 0 {
		return ErrInterest
	}
	return nil
}

// String returns the names of the bits, such as "readable|edge".
func (i Interest) String() string {
	return bits(uint8(i), [8]string{0: "readable", 1: "writable", 2: "priority", 7: "edge"})
}

// String returns the names of the bits, such as "readable|read closed".
func (r Ready) String() string {
	return bits(uint8(r), [8]string{"readable", "writable", "priority", "read closed", "write closed", "error"})
}

// bits returns the names of the bits in set.
func bits(set uint8, names [8]string) string {
	var s []string
	for b, name := range names {
		if set>>b&1 == 0 {
			continue
		}
		if name == "" {
			name = fmt.Sprintf("bit %d", b)
		}
		s = append(s, name)
	}
	if s == nil {
		return "nothing"
	}
	return strings.Join(s, "|")
}
