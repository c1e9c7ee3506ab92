package poll

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"
)

// afd waits for sockets with the requests that Windows's own select is made of:
// a poll of AFD, the driver under its sockets, answers once and is a packet at a
// completion port then. Each socket has one request at a time, for all that is
// asked of it.
//
//	sockets ──▶ requests on helper handles ──▶ port ──▶ wait
//	                       wakers, changes ─────┘
//
// A request that is under way cannot be changed, only be cancelled: the new one
// is sent when the old one's answer, any answer, has come back. Until then its
// watch, and the memory that the kernel writes to, stay where they are. So no
// socket ever has two requests at once, of which AFD could lose one, and what
// answers is told from what it was asked for by the id in the request.
//
// What to ask is settled before a wait and not as it changes, so that all that a
// batch of events leads to is one request a socket; unless a wait is under way.
//
// AFD tells levels, once. For Edge interest the watch notes what was told and does
// not ask for it until Rearm or Modify forget the note. Without, it asks again, and
// looks once more when the answer is there, which may be old.
type afd struct {
	wakers *wakers
	port   windows.Handle
	glance windows.Handle // a helper handle whose requests answer at once
	asleep atomic.Bool    // a wait may be blocked, and nobody has posted a nudge yet

	mu      sync.Mutex
	memory  requests
	helpers []windows.Handle // one for each perHelper watches
	watches []watch          // each has the request of the same index; 0 is glance's
	free    []int32          // indexes of watches
	at      map[windows.Handle]int32
	lastID  uint64
	due     []int32 // watches to be settled
	again   []int32 // those whose request the kernel has refused: they are due a moment later
	under   int     // requests under way
	polling bool    // a wait is under way: what is due does not wait for the next
	closed  bool

	// Wait's own.
	start   time.Time
	entries []entry
	first   bool // wakers are heard before sockets, every other time
}

// watch is a socket, registered or removed with its request still under way.
type watch struct {
	id     uint64 // changes with each Register
	token  Token
	fd     windows.Handle
	base   windows.Handle // the provider's own, under layers
	socket identity
	asked  events // of the request under way; 0: there is none
	want   Interest
	told   Ready // with Edge: what is not to be told again

	registered bool
	due        bool // it is in afd.due, or in afd.again
	cancelled  bool // the request under way is
}

// perHelper is how many requests share a helper handle: the kernel keeps them in a
// list, which it walks to cancel one.
const perHelper = 32

// maxEntries is how many packets are fetched at once.
const maxEntries = 1024

const never = time.Duration(math.MaxInt64)

// nudge is the key of a packet that only ends a wait. Those of AFD have key 0.
const nudge = 1

func newAFD(ws *wakers) (backend, error) {
	if err := startWinsock(); err != nil {
		return nil, err
	}
	a := &afd{wakers: ws, at: make(map[windows.Handle]int32), start: time.Now()}
	var err error
	if a.port, err = windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1); err != nil {
		return nil, os.NewSyscallError("CreateIoCompletionPort", err)
	}
	if a.glance, err = openHelper(windows.FILE_SYNCHRONOUS_IO_NONALERT); err == nil {
		_, err = a.grow()
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// close ends all requests and frees their memory once all have answered. One that
// never does keeps the memory: the kernel may still write to it.
func (a *afd) close() error {
	for i := range a.watches {
		if w := &a.watches[i]; w.asked != 0 {
			cancel(a.helper(int32(i)), a.memory.at(int32(i)))
		}
	}
	const patience = 5 * time.Second
	a.room(maxEntries)
	for end := time.Now().Add(patience); a.under > 0 && time.Now().Before(end); {
		got, err := dequeue(a.port, a.entries, 100*time.Millisecond)
		if err != nil {
			break
		}
		for _, e := range a.entries[:got] {
			if e.key != nudge {
				a.under--
			}
		}
	}
	for _, h := range a.helpers {
		windows.CloseHandle(h)
	}
	if a.glance != 0 {
		windows.CloseHandle(a.glance)
	}
	if a.under == 0 {
		a.memory.free()
	}
	return os.NewSyscallError("CloseHandle", windows.CloseHandle(a.port))
}

func (a *afd) interrupt() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.post()
}

// post ends a wait under way, or the next one early.
func (a *afd) post() error {
	return os.NewSyscallError("PostQueuedCompletionStatus", windows.PostQueuedCompletionStatus(a.port, 0, nudge, nil))
}

func (a *afd) watch(*Waker) error { return nil }
func (a *afd) forget(*Waker)      {}
func (a *afd) edges() bool        { return false }

// ring need not do anything while nobody sleeps: a wait looks at the wakers after it
// has said that it will.
func (a *afd) ring(*Waker) error {
	if a.asleep.CompareAndSwap(true, false) {
		return a.post()
	}
	return nil
}

func (a *afd) register(fd int, t Token, i Interest) error {
	h := windows.Handle(fd)
	socket, err := identify(h)
	if err != nil {
		return err
	}
	base, err := baseOf(h)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.at[h]
	if !ok {
		if at, err = a.take(); err != nil {
			return err
		}
		a.at[h] = at
	} else if w := &a.watches[at]; w.registered && w.socket.mayBe(socket) {
		return ErrExist
	} // else what was watched is removed, or closed
	a.lastID++
	w := &a.watches[at]
	w.id, w.fd, w.base, w.socket, w.registered = a.lastID, h, base, socket, true
	w.token, w.want, w.told = t, i, 0
	a.changed(at)
	return nil
}

func (a *afd) modify(fd int, t Token, i Interest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, w := a.find(fd)
	if w == nil {
		return missing(fd)
	}
	w.token, w.want, w.told = t, i, 0
	a.changed(at)
	return nil
}

func (a *afd) rearm(fd int, t Token, i Interest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, w := a.find(fd)
	if w == nil {
		return missing(fd)
	}
	again := Ready(i &^ Edge)
	if again&Readable != 0 {
		again |= ReadClosed // the end may lie behind what was read
	}
	if w.told&again != 0 {
		w.told &^= again
		a.changed(at)
	}
	return nil
}

func (a *afd) remove(fd int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, w := a.find(fd)
	if w == nil {
		return missing(fd)
	}
	w.registered = false
	a.settle(at)
	return nil
}

// find is the watch of a registered socket, nil if there is none.
func (a *afd) find(fd int) (int32, *watch) {
	at, ok := a.at[windows.Handle(fd)]
	if !ok || !a.watches[at].registered {
		return 0, nil
	}
	return at, &a.watches[at]
}

// missing is why there is no watch of fd.
func missing(fd int) error {
	if _, err := identify(windows.Handle(fd)); err != nil {
		return err
	}
	return ErrNotExist
}

// take is a watch that is free.
func (a *afd) take() (int32, error) {
	if len(a.free) == 0 {
		return a.grow()
	}
	at := a.free[len(a.free)-1]
	a.free = a.free[:len(a.free)-1]
	return at, nil
}

// grow adds a watch, and what it needs beside it.
func (a *afd) grow() (int32, error) {
	at := int32(len(a.watches))
	if err := a.memory.hold(at); err != nil {
		return 0, err
	}
	if int(at)/perHelper == len(a.helpers) {
		h, err := openHelper(0)
		if err != nil {
			return 0, err
		}
		if _, err := windows.CreateIoCompletionPort(h, a.port, 0, 0); err != nil {
			windows.CloseHandle(h)
			return 0, os.NewSyscallError("CreateIoCompletionPort", err)
		}
		a.helpers = append(a.helpers, h)
	}
	a.watches = append(a.watches, watch{})
	return at, nil
}

func (a *afd) helper(at int32) windows.Handle { return a.helpers[at/perHelper] }

// changed has a watch settled: now if a wait is under way, else before the next one.
func (a *afd) changed(at int32) {
	if a.polling {
		a.settle(at)
	} else if w := &a.watches[at]; !w.due {
		w.due = true
		a.due = append(a.due, at)
	}
}

// settle makes the request of a watch what it ought to be, or begins to.
func (a *afd) settle(at int32) {
	w := &a.watches[at]
	r := a.memory.at(at)
	switch {
	case w.asked != 0:
		stands := w.registered && r.id == w.id && w.asks()&^w.asked == 0
		if !stands && !w.cancelled {
			w.cancelled = true
			cancel(a.helper(at), r)
		}
	case !w.registered:
		a.release(at)
	default:
		r.id = w.id
		if w.socket.local == 0 { // was not bound yet
			w.socket.local = addressOf(w.fd, getsockname)
		}
		switch sent, none := send(a.helper(at), r, w.base, w.asks(), uintptr(at)); {
		case sent:
			w.asked, w.cancelled = w.asks(), false
			a.under++
		case none:
			a.release(at) // closed without Remove
		default:
			a.putOff(at)
		}
	}
}

// putOff has a watch settled a moment later. A wait under way ends, to bound its sleep
// by that.
func (a *afd) putOff(at int32) {
	if w := &a.watches[at]; !w.due {
		w.due = true
		a.again = append(a.again, at)
	}
	if a.polling {
		a.post()
	}
}

// release frees a watch that has no request under way.
func (a *afd) release(at int32) {
	w := &a.watches[at]
	w.registered = false
	if a.at[w.fd] == at {
		delete(a.at, w.fd)
	}
	if !w.due { // else it is found when the due ones are settled
		*w = watch{}
		a.free = append(a.free, at)
	}
}
