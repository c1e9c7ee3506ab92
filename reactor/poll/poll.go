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

// Token names a descriptor in the events that come for it. All 64 bits are the
// user's: they travel through the kernel untouched, and the Poller neither
// reads them nor minds two descriptors with the same one. A token of package
// slab makes events that outlived their descriptor harmless, as its generation
// tells them apart.
type Token = slab.Token

// The bits that Interest and Ready share. They are untyped, to serve as either.
//
//	  7   6   5             4             3            2          1          0
//	+---+---+-------+-------------+-------------+----------+----------+----------+
//	| - | - | Error | WriteClosed | ReadClosed  | Priority | Writable | Readable |  Ready
//	| Edge  |   -   |      -      |      -      | Priority | Writable | Readable |  Interest
//	+---+---+-------+-------------+-------------+----------+----------+----------+
const (
	Readable = 1 << 0 // a read would not block: there is data, the end, or an error
	Writable = 1 << 1 // a write would not block: there is room, or an error
	Priority = 1 << 2 // urgent data, such as TCP's; kqueue tells of none on freebsd and netbsd
)

// Interest is what to watch a descriptor for: one or more of Readable,
// Writable and Priority, and Edge or not.
type Interest uint8

// Edge asks for an event when readiness begins instead of for as long as it
// lasts; see "Levels and edges" in the package comment.
const Edge Interest = 1 << 7

// Ready is what an event tells: Readable, Writable, Priority, and the bits
// below. A hang-up or an error sets Readable and Writable too, whichever were
// asked for, as neither operation would block.
type Ready uint8

const (
	// ReadClosed says that the peer will send no more. What it sent before is
	// still to be read. Where poll(2) cannot tell (outside Linux), a half-closed
	// connection is Readable only, and the read answers the end.
	ReadClosed Ready = 1 << 3
	// WriteClosed says that nobody will take what is written. On a datagram
	// socket it says only that an error is to be fetched.
	WriteClosed Ready = 1 << 4
	// Error says that an operation, or SO_ERROR, has an error to tell.
	Error Ready = 1 << 5
)

// Event says that the descriptor registered with Token is Ready.
type Event struct {
	Token Token
	Ready Ready
}

var (
	// ErrExist answers Register for a descriptor that is registered.
	ErrExist = errors.New("already registered")
	// ErrNotExist answers Modify, Rearm and Remove for a descriptor that is not.
	ErrNotExist = errors.New("not registered")
	// ErrNotPollable answers Register for a regular file or a directory, and what else
	// the kernel does not tell of: on macOS a FIFO, and /dev/tty.
	ErrNotPollable = errors.New("not pollable: want a socket, pipe, terminal or the like")
	// ErrBadDescriptor answers for a number that names no open descriptor.
	ErrBadDescriptor = errors.New("no open descriptor")
	// ErrInterest answers an Interest without Readable, Writable or Priority.
	ErrInterest = errors.New("want Readable, Writable or Priority, and Edge or not")
	// ErrNoRoom answers Wait with an empty slice.
	ErrNoRoom = errors.New("no room: want a slice of at least one event")
	// ErrBusy answers Wait while another goroutine is in Wait.
	ErrBusy = errors.New("another goroutine waits")
	// ErrClosed answers everything once the Poller, or the Waker, is closed.
	ErrClosed = errors.New("closed")
	// ErrUnsupported answers New where there is no such backend.
	ErrUnsupported = errors.New("unsupported")
)

// yieldEvery is how long a goroutine that finds events at each Wait keeps the
// others from its processor. Its system calls are too short for the scheduler
// to step in, and the runtime's own preemption takes 10 ms and more.
const yieldEvery = 100 * time.Microsecond

// backend is a platform's way to wait. Its errors are what the kernel answers, or
// would; Poller names them and says what was attempted.
type backend interface {
	register(fd int, t Token, i Interest) error
	modify(fd int, t Token, i Interest) error
	rearm(fd int, t Token, i Interest) error // where edges is false
	edges() bool                             // the kernel knows edges
	remove(fd int) error

	// wait is called by one goroutine at a time.
	wait(dst []Event, timeout time.Duration) (int, error)
	// interrupt makes the wait under way, and all to come, answer ErrClosed.
	interrupt()
	// close is called once, with nothing else under way.
	close() error

	// watch makes w's ring an event; forget ends that.
	watch(w *Waker) error
	forget(w *Waker)
	// ring is called once for each event that w owes.
	ring(w *Waker) error
}

// Poller waits for descriptors to be ready. Make one with New. Wait belongs to
// one goroutine at a time, all other methods to any goroutine at any time.
type Poller struct {
	name string
	b    backend

	// published orders what was done before a Register before what is done
	// after the Wait that answers its event, also in the race detector's eyes.
	published atomic.Uint64

	// mu keeps the backend open: who uses its descriptors outside of wait holds
	// it shared.
	mu     sync.RWMutex
	closed bool
	wakers wakers

	waiting sync.Mutex // held by Wait
	start   time.Time
	yielded time.Duration // since start
}

// New makes a Poller of the platform's best backend, or of the one that the
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

// NewBackend makes a Poller of a backend named as in Backends.
func NewBackend(name string) (*Poller, error) {
	for _, have := range backends {
		if have.name != name {
			continue
		}
		p := &Poller{name: name, start: time.Now()}
		b, err := have.open(&p.wakers)
		if err != nil {
			return nil, fmt.Errorf("poll: open %s: %w", name, err)
		}
		p.b = b
		return p, nil
	}
	return nil, fmt.Errorf("poll: backend %q: %w on %s: want one of %q", name, ErrUnsupported, runtime.GOOS, Backends())
}

// Backends are the names of this platform's backends, the best one first.
func Backends() []string {
	names := make([]string, len(backends))
	for i, b := range backends {
		names[i] = b.name
	}
	return names
}

// Backend is the name of the backend in use, as in Backends: "epoll", "poll".
func (p *Poller) Backend() string { return p.name }

// Register begins to watch a descriptor. A wait under way takes notice.
// Whatever was done before Register is visible to the goroutine whose Wait
// answers the descriptor's event.
func (p *Poller) Register(fd int, t Token, i Interest) error {
	return p.control("register", fd, t, i, backend.register)
}

// Modify replaces the token and the interest of a registered descriptor. With
// Edge it tells anew of readiness that there is.
func (p *Poller) Modify(fd int, t Token, i Interest) error {
	return p.control("modify", fd, t, i, backend.modify)
}

// Rearm has to be called with Edge interest when an operation would have
// blocked: only then is the next event of its direction due. i names what would
// have blocked, t is the token registered. It does nothing, at the cost of a
// nanosecond, on a backend whose kernel knows edges.
func (p *Poller) Rearm(fd int, t Token, i Interest) error {
	if p.Edges() {
		return nil
	}
	return p.control("rearm", fd, t, i, backend.rearm)
}

// Edges tells whether the backend's kernel knows edges, so that Rearm has nothing
// to do.
func (p *Poller) Edges() bool { return p.b.edges() }

// Remove ends the watch of a descriptor; call it before the descriptor is
// closed. No Wait that begins after it answers an event for it. Events that
// the last Wait has answered are in the caller's hands: Drop strikes them out.
func (p *Poller) Remove(fd int) error {
	return p.control("remove", fd, 0, Readable, func(b backend, fd int, _ Token, _ Interest) error {
		return b.remove(fd)
	})
}

// Drop strikes out the events of a token in what is left of a batch, by making
// their Ready 0. It belongs beside Remove where tokens are used again, or have
// no generation to be checked.
func Drop(rest []Event, t Token) {
	for i := range rest {
		if rest[i].Token == t {
			rest[i].Ready = 0
		}
	}
}

// control checks what every change of a registration has to, makes it, and
// says what was attempted when it fails.
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
		return fmt.Errorf("poll: %s descriptor %d: %w", what, fd, named(err))
	}
	return nil
}

// Wait fills dst with events and answers how many there are. It waits until
// there is one, for the timeout at most: a negative timeout is for ever, 0 only
// looks. A timeout that passed is no error: it answers 0 events, never early.
// Events that dst has no room for come with the next Wait; those that wait
// longest come first.
func (p *Poller) Wait(dst []Event, timeout time.Duration) (int, error) {
	if len(dst) == 0 {
		return 0, fmt.Errorf("poll: wait: %w", ErrNoRoom)
	}
	if !p.waiting.TryLock() {
		return 0, p.refuse()
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

// refuse is why waiting is locked: another Wait, or Close.
func (p *Poller) refuse() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return fmt.Errorf("poll: wait: %w", ErrClosed)
	}
	return fmt.Errorf("poll: wait: %w", ErrBusy)
}

// Close ends a wait under way with ErrClosed and frees what the Poller holds,
// its Wakers included. Registered descriptors stay open.
func (p *Poller) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return fmt.Errorf("poll: close: %w", ErrClosed)
	}
	p.closed = true
	p.mu.Unlock()

	p.b.interrupt()
	p.waiting.Lock() // for good: Wait refuses from here on
	for _, w := range p.wakers.all() {
		w.shut()
	}
	if err := p.b.close(); err != nil {
		return fmt.Errorf("poll: close: %w", err)
	}
	return nil
}

// check tells whether i can be registered.
func (i Interest) check() error {
	if i&(Readable|Writable|Priority) == 0 || i&^(Readable|Writable|Priority|Edge) != 0 {
		return ErrInterest
	}
	return nil
}

// String is as in "readable|edge".
func (i Interest) String() string {
	return bits(uint8(i), [8]string{0: "readable", 1: "writable", 2: "priority", 7: "edge"})
}

// String is as in "readable|read closed".
func (r Ready) String() string {
	return bits(uint8(r), [8]string{"readable", "writable", "priority", "read closed", "write closed", "error"})
}

// bits joins the names of the bits set.
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
