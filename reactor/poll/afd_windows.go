package poll

import (
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"
)

// afd is the backend of Windows. It waits for sockets with poll requests to AFD, the driver
// under them, which Windows's own select uses too. A request completes once, with a packet
// at a completion port. Each socket has at most one pending request, for all events that
// it is watched for.
//
//	sockets ──▶ requests on helper handles ──▶ port ──▶ wait
//	                       wakers, changes ─────┘
//
// A pending request cannot be changed, only cancelled; the new one is sent when the old
// one has completed, with whatever result. Until then its watch, and the memory that the
// kernel writes to, stay in place. So a socket never has two requests, of which AFD could
// lose one. The id in the request identifies the registration that it was sent for.
//
// Requests are updated before a wait, not at each change, so that all changes after a
// batch of events cause one request per socket. Only while a wait is blocked do changes
// take effect at once.
//
// AFD reports existing readiness, but only once per request. With Edge, a watch records
// the readiness that was reported and does not ask for it again until Rearm or Modify
// clears the record. Without Edge, each event is followed by a new request, and as the
// result may be out of date, the readiness is polled again.
type afd struct {
	wakers    *wakers
	port      windows.Handle
	immediate windows.Handle // helper handle whose requests complete at once
	asleep    atomic.Bool    // a wait may be blocked, and no wake packet was posted yet

	mu      sync.Mutex
	memory  requests
	helpers []windows.Handle // one per perHelper watches
	watches []watch          // each uses the request of the same index; 0 is for immediate
	free    []int32          // indexes of unused watches
	at      map[windows.Handle]int32
	lastID  uint64
	due     []int32 // watches whose requests are to be updated
	refused []int32 // watches whose requests the kernel refused; they are due after retryDelay
	pending int     // number of pending requests
	polling bool    // a wait is blocked, so changes take effect at once
	closed  bool

	// Used by wait only.
	start       time.Time
	entries     []entry
	wakersFirst bool // collect from wakers before sockets, every other time
}

// watch is a registered socket, or a removed one whose request is still pending.
type watch struct {
	id        uint64 // changes with each Register
	token     Token
	fd        windows.Handle
	base      windows.Handle // the socket below layered providers
	socket    identity
	requested events // of the pending request; 0 if there is none
	want      Interest
	reported  Ready // with Edge: readiness that is not to be reported again

	registered bool
	due        bool // in afd.due or afd.refused
	cancelled  bool // the pending request was cancelled
}

// perHelper is the number of requests that share a helper handle. The kernel has a list of
// them, which it searches to cancel one.
const perHelper = 32

// maxEntries is the number of packets that one system call fetches.
const maxEntries = 1024

const never = time.Duration(math.MaxInt64)

// wakeKey is the key of a packet that only ends a wait. Packets of AFD have key 0.
const wakeKey = 1

func newAFD(ws *wakers) (backend, error) {
	if err := startWinsock(); err != nil {
		return nil, err
	}
	a := &afd{wakers: ws, at: make(map[windows.Handle]int32), start: time.Now()}
	var err error
	if a.port, err = windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1); err != nil {
		return nil, os.NewSyscallError("CreateIoCompletionPort", err)
	}
	if a.immediate, err = openHelper(windows.FILE_SYNCHRONOUS_IO_NONALERT); err == nil {
		_, err = a.grow()
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// close cancels all requests and frees their memory when all have completed. If one does
// not complete, the memory is not freed, as the kernel may still write to it.
func (a *afd) close() error {
	for i := range a.watches {
		if w := &a.watches[i]; w.requested != 0 {
			cancel(a.helper(int32(i)), a.memory.at(int32(i)))
		}
	}
	const timeout = 5 * time.Second
	a.room(maxEntries)
	for end := time.Now().Add(timeout); a.pending > 0 && time.Now().Before(end); {
		got, err := dequeue(a.port, a.entries, 100*time.Millisecond)
		if err != nil {
			break
		}
		for _, e := range a.entries[:got] {
			if e.key != wakeKey {
				a.pending--
			}
		}
	}
	for _, h := range a.helpers {
		windows.CloseHandle(h)
	}
	if a.immediate != 0 {
		windows.CloseHandle(a.immediate)
	}
	if a.pending == 0 {
		a.memory.free()
	}
	return os.NewSyscallError("CloseHandle", windows.CloseHandle(a.port))
}

func (a *afd) interrupt() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.endWait()
}

// endWait ends the current wait, or the next one.
func (a *afd) endWait() error {
	return os.NewSyscallError("PostQueuedCompletionStatus", windows.PostQueuedCompletionStatus(a.port, 0, wakeKey, nil))
}

func (a *afd) addWaker(*Waker) error { return nil }
func (a *afd) removeWaker(*Waker)    {}
func (a *afd) edges() bool           { return false }

// wake does nothing while no wait is blocked: a wait checks the wakers after it has set
// asleep.
func (a *afd) wake(*Waker) error {
	if a.asleep.CompareAndSwap(true, false) {
		return a.endWait()
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
		if at, err = a.newWatch(); err != nil {
			return err
		}
		a.at[h] = at
	} else if w := &a.watches[at]; w.registered && w.socket.couldBecome(socket) {
		return ErrExist
	} // else the old socket was removed or closed
	a.lastID++
	w := &a.watches[at]
	w.id, w.fd, w.base, w.socket, w.registered = a.lastID, h, base, socket, true
	w.token, w.want, w.reported = t, i, 0
	a.changed(at)
	return nil
}

func (a *afd) modify(fd int, t Token, i Interest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, w := a.find(fd)
	if w == nil {
		return errMissing(fd)
	}
	w.token, w.want, w.reported = t, i, 0
	a.changed(at)
	return nil
}

func (a *afd) rearm(fd int, t Token, i Interest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, w := a.find(fd)
	if w == nil {
		return errMissing(fd)
	}
	again := Ready(i &^ Edge)
	if again&Readable != 0 {
		again |= ReadClosed // the end may follow the data that was read
	}
	if w.reported&again != 0 {
		w.reported &^= again
		a.changed(at)
	}
	return nil
}

func (a *afd) remove(fd int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, w := a.find(fd)
	if w == nil {
		return errMissing(fd)
	}
	w.registered = false
	a.update(at)
	return nil
}

// find returns the watch of a registered socket and its index, or nil if there is none.
func (a *afd) find(fd int) (int32, *watch) {
	at, ok := a.at[windows.Handle(fd)]
	if !ok || !a.watches[at].registered {
		return 0, nil
	}
	return at, &a.watches[at]
}

// errMissing returns the reason why there is no watch of fd.
func errMissing(fd int) error {
	if _, err := identify(windows.Handle(fd)); err != nil {
		return err
	}
	return ErrNotExist
}

// newWatch returns the index of an unused watch.
func (a *afd) newWatch() (int32, error) {
	if len(a.free) == 0 {
		return a.grow()
	}
	at := a.free[len(a.free)-1]
	a.free = a.free[:len(a.free)-1]
	return at, nil
}

// grow adds an unused watch with the memory of its request and, if necessary, a helper.
func (a *afd) grow() (int32, error) {
	at := int32(len(a.watches))
	if err := a.memory.ensure(at); err != nil {
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

// changed updates the request of a watch: now if a wait is blocked, else before the next
// wait.
func (a *afd) changed(at int32) {
	if a.polling {
		a.update(at)
	} else if w := &a.watches[at]; !w.due {
		w.due = true
		a.due = append(a.due, at)
	}
}

// update sends the request that a watch needs. If another one is pending that does not
// include it, update cancels that first.
func (a *afd) update(at int32) {
	w := &a.watches[at]
	r := a.memory.at(at)
	switch {
	case w.requested != 0:
		valid := w.registered && r.id == w.id && w.events()&^w.requested == 0
		if !valid && !w.cancelled {
			w.cancelled = true
			cancel(a.helper(at), r)
		}
	case !w.registered:
		a.release(at)
	default:
		r.id = w.id
		if w.socket.local == 0 { // it was not bound yet
			w.socket.local = addressOf(w.fd, getsockname)
		}
		switch sent, badHandle := send(a.helper(at), r, w.base, w.events(), uintptr(at)); {
		case sent:
			w.requested, w.cancelled = w.events(), false
			a.pending++
		case badHandle:
			a.release(at) // closed without Remove
		default:
			a.retryLater(at)
		}
	}
}

// retryLater makes a watch due again after retryDelay. It ends a blocked wait, so that the
// next one is limited by that time.
func (a *afd) retryLater(at int32) {
	if w := &a.watches[at]; !w.due {
		w.due = true
		a.refused = append(a.refused, at)
	}
	if a.polling {
		a.endWait()
	}
}

// release frees a watch that has no pending request.
func (a *afd) release(at int32) {
	w := &a.watches[at]
	w.registered = false
	if a.at[w.fd] == at {
		delete(a.at, w.fd)
	}
	if !w.due { // else begin calls update, which releases it
		*w = watch{}
		a.free = append(a.free, at)
	}
}
