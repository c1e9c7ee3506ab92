//go:build unix

package poll

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// kqueue is the backend of the BSDs and macOS. It waits in kevent(2), which blocks a
// thread: a kqueue can only be read, and Go's own poller refuses it as it asks for both
// directions. The kernel has a knote for each direction of each descriptor.
//
//	kqueue_unix.go     the backend, independent of the kernel
//	kqueue_bsd.go      the calls of the kernel
//	kqueue_GOOS.go     the filters that this kernel has
//
// The kernel returns a word of user data with each event. On some platforms it has 32
// bits, and on most it has the type of a pointer, so it cannot hold a Token. It holds a
// generation instead: an event is valid if the watch of its descriptor has that
// generation. So an event is dropped if it was fetched before its watch was changed,
// removed or replaced.
//
// The file compiles on every Unix, so that tests can run it over a model of kevent(2).
type kqueue struct {
	kernel kqueueKernel
	wakers *wakers
	pipe   *wakePipe // if the kernel has no userFilter, else nil

	mu         sync.Mutex
	watches    []kqueueWatch // by descriptor
	generation uintptr       // of the latest watch
	changes    [3]knote      // arguments of apply
	closed     bool

	// State of the current wait.
	events []knote
	batch  uint64 // number of calls of collect
}

// kqueueWatch is the registration of a descriptor. Its generation is 0 if there is none.
type kqueueWatch struct {
	token      Token
	generation uintptr
	batch      uint64 // the last collect that reported it
	at         int32  // the index of its event in that batch
	filters    filters
	clear      uint16 // evClear with Edge, else 0
	pipe       bool   // the end of readFilter is the end of writeFilter too: see add
	onlyEnd    bool   // readFilter is registered only to report that end
}

// kqueueKernel is the calls of a kernel.
type kqueueKernel interface {
	// kqueue creates the kqueue that the other calls use.
	kqueue() error
	// change makes changes in order, up to the first one that fails.
	change([]knote) error
	// wait stores events and returns their number. It blocks until there is one or the
	// timeout has passed; a negative timeout means no limit. It is called by one
	// goroutine at a time.
	wait(events []knote, timeout time.Duration) (int, error)
	has(filter) bool
	// pipe reports whether fd is an end of a pipe without a name. Both directions of such
	// an end are over when the other end is closed.
	pipe(fd int) bool
	close() error
}

// knote is the kernel's struct kevent, without its data and without pointers.
type knote struct {
	ident  int // a descriptor
	filter filter
	flags  uint16
	fflags uint32
	udata  uintptr
}

// filter is a kind of event. It is independent of the kernel's number for it.
type filter uint8

const (
	readFilter   filter = iota
	writeFilter         //
	exceptFilter        // urgent data, with noteOOB
	userFilter          // triggered by noteTrigger
	allFilters
)

// filters is a set of filters.
type filters uint8

func (fs filters) have(f filter) bool { return fs>>f&1 != 0 }

// Flags. Their bits are the same in all kernels.
const (
	evAdd    = 0x1
	evDelete = 0x2
	evEnable = 0x4
	evClear  = 0x20   // events are edges
	evError  = 0x4000 // a change failed
	evEOF    = 0x8000 // the direction has ended; fflags is the error of the socket
)

// Notes. kqueue_bsd.go translates them to the bits of the kernel.
const (
	noteOOB     = 1 << 0
	noteTrigger = 1 << 1
)

func newKqueueOver(ws *wakers, kernel kqueueKernel) (backend, error) {
	k := &kqueue{kernel: kernel, wakers: ws}
	if err := kernel.kqueue(); err != nil {
		return nil, err
	}
	if err := k.addWakeEvent(); err != nil {
		kernel.close()
		return nil, err
	}
	return k, nil
}

// addWakeEvent registers the event that ends a wait: a user event, or one of a pipe. Its
// generation is 0.
func (k *kqueue) addWakeEvent() error {
	if k.kernel.has(userFilter) {
		k.changes[0] = knote{filter: userFilter, flags: evAdd | evClear}
		return os.NewSyscallError("kevent", k.apply(1))
	}
	k.pipe = new(wakePipe)
	if err := k.pipe.open(); err != nil {
		return err
	}
	k.changes[0] = knote{ident: k.pipe.read, filter: readFilter, flags: evAdd | evClear}
	if err := k.apply(1); err != nil {
		k.pipe.close()
		return os.NewSyscallError("kevent", err)
	}
	return nil
}

// isWakeEvent reports whether ev is the event of addWakeEvent: no watch has generation 0.
func (k *kqueue) isWakeEvent(ev *knote) bool { return ev.udata == 0 }

func (k *kqueue) close() error {
	if k.pipe != nil {
		k.pipe.close()
	}
	return k.kernel.close()
}

func (k *kqueue) interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.endWait()
}

// endWait ends the current wait, or the next one. The caller holds the lock.
func (k *kqueue) endWait() error {
	if k.pipe != nil {
		return k.pipe.wake()
	}
	k.changes[0] = knote{filter: userFilter, fflags: noteTrigger}
	return os.NewSyscallError("kevent", k.apply(1))
}

func (k *kqueue) addWaker(*Waker) error { return nil }
func (k *kqueue) removeWaker(*Waker)    {}

func (k *kqueue) wake(*Waker) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.endWait()
}

func (k *kqueue) edges() bool                      { return true }
func (k *kqueue) rearm(int, Token, Interest) error { return nil }

func (k *kqueue) register(fd int, t Token, i Interest) error {
	if _, err := identify(fd); err != nil { // kqueues accept files, which are always ready
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.find(fd); w != nil && k.stillOpen(fd, *w) {
		return unix.EEXIST
	} // else the watch is of a closed descriptor that had this number
	return k.add(fd, t, i, k.kernel.pipe(fd))
}

func (k *kqueue) modify(fd int, t Token, i Interest) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.drop(fd); err != nil {
		return err
	}
	return k.add(fd, t, i, k.kernel.pipe(fd))
}

func (k *kqueue) remove(fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.drop(fd)
}

// find returns the watch of a descriptor, or nil if there is none.
func (k *kqueue) find(fd int) *kqueueWatch {
	if fd < len(k.watches) && k.watches[fd].generation != 0 {
		return &k.watches[fd]
	}
	return nil
}

// stillOpen reports whether the descriptor of w is still open: closing it removes its
// knotes. If a pipe loses its reader, freebsd removes the knote of writeFilter too, so for
// a pipe only the other one is checked.
func (k *kqueue) stillOpen(fd int, w kqueueWatch) bool {
	if w.pipe {
		w.filters = 1 << readFilter
	}
	return k.changeAll(fd, &w, evEnable) == nil
}

// add watches a descriptor. There is no watch of it, or one of a closed descriptor with
// the same number.
//
// If a pipe loses its reader, a watch for writing must report it. The writeFilter of
// openbsd and netbsd triggers before that has happened, and then not again. But the
// readFilter of the writing end reports it, as both directions of that end are over. So
// each writing end of a pipe also gets a readFilter. Most kernels also refuse a
// writeFilter when the reader is closed already, with EPIPE, or EBADF on netbsd: then the
// pipe gets the readFilter only.
func (k *kqueue) add(fd int, t Token, i Interest, pipe bool) error {
	var w kqueueWatch
	if k.generation++; k.generation == 0 {
		k.generation = 1
	}
	w.token, w.generation, w.filters = t, k.generation, i.filters()
	if i&Edge != 0 {
		w.clear = evClear
	}
	for f := range allFilters {
		if !k.kernel.has(f) {
			w.filters &^= 1 << f
		}
	}
	if w.filters == 0 {
		return unix.ENOTSUP // only Priority, and the kernel has no filter for it
	}
	if pipe && w.filters.have(writeFilter) {
		w.pipe, w.onlyEnd = true, !w.filters.have(readFilter)
		w.filters |= 1 << readFilter
	}
	err := k.changeAll(fd, &w, evAdd)
	if (err == unix.EPIPE || err == unix.EBADF) && w.filters.have(writeFilter) {
		w.filters &^= 1 << writeFilter
		w.filters |= 1 << readFilter
		w.pipe, w.onlyEnd = true, false
		err = k.changeAll(fd, &w, evAdd)
	}
	if err != nil {
		for f := range allFilters { // remove those that were added before one failed
			if w.filters.have(f) {
				k.changes[0] = knote{ident: fd, filter: f, flags: evDelete}
				k.apply(1)
			}
		}
		return err
	}
	for fd >= len(k.watches) {
		k.watches = append(k.watches, kqueueWatch{})
	}
	k.watches[fd] = w
	return nil
}

// drop ends the watch of a descriptor, even if that is closed.
func (k *kqueue) drop(fd int) error {
	w := k.find(fd)
	if w == nil {
		if _, err := identify(fd); err == unix.EBADF {
			return err
		}
		return unix.ENOENT
	}
	if w.pipe && w.filters.have(writeFilter) { // its knote may not exist: see stillOpen
		w.filters &^= 1 << writeFilter
		k.changes[0] = knote{ident: fd, filter: writeFilter, flags: evDelete}
		k.apply(1)
	}
	err := k.changeAll(fd, w, evDelete)
	*w = kqueueWatch{}
	return err
}

// changeAll makes a change to all filters of w: evAdd, evDelete or evEnable. The latter has
// no effect but fails if the knote does not exist.
func (k *kqueue) changeAll(fd int, w *kqueueWatch, flag uint16) error {
	n := 0
	for f := range allFilters {
		if !w.filters.have(f) {
			continue
		}
		c := knote{ident: fd, filter: f, flags: flag, udata: w.generation}
		if flag == evAdd {
			c.flags |= w.clear
			if w.onlyEnd && f == readFilter {
				c.flags |= evClear // input must not cause an event in each wait
			}
		}
		if f == exceptFilter {
			c.fflags = noteOOB
		}
		k.changes[n] = c
		n++
	}
	return k.apply(n)
}

// apply makes the first n changes. If a signal interrupts the call, the kernel has made
// all of them.
func (k *kqueue) apply(n int) error {
	if err := k.kernel.change(k.changes[:n]); err != unix.EINTR {
		return err
	}
	return nil
}

func (k *kqueue) wait(dst []Event, timeout time.Duration) (int, error) {
	if want := min(len(dst), maxKqueue); want > len(k.events) {
		k.events = make([]knote, want)
	}
	begin := time.Now()
	for left := timeout; ; {
		got, err := k.kernel.wait(k.events[:min(len(dst), len(k.events))], left)
		if err != nil && err != unix.EINTR {
			return 0, os.NewSyscallError("kevent", err)
		}
		n, err := k.collect(dst, k.events[:max(got, 0)])
		if n > 0 || err != nil || timeout == 0 {
			return n, err
		}
		if timeout > 0 {
			if left = timeout - time.Since(begin); left <= 0 {
				return 0, nil
			}
		}
	}
}

// maxKqueue is the number of knotes that one system call fetches.
const maxKqueue = 1024

// collect stores the results of kevent(2) in dst, one event per descriptor. They fit, as no
// more knotes were fetched than dst has room for.
func (k *kqueue) collect(dst []Event, got []knote) (n int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return 0, ErrClosed
	}
	k.batch++
	woken := false
	for i := range got {
		ev := &got[i]
		if k.isWakeEvent(ev) {
			woken = true
			continue
		}
		w := k.find(ev.ident)
		if w == nil || w.generation != ev.udata {
			continue
		}
		if w.onlyEnd && ev.filter == readFilter && !k.isEnd(ev, w) {
			continue
		}
		r := ev.ready(w.pipe)
		switch {
		case r == 0:
		case w.batch == k.batch:
			dst[w.at].Ready |= r
		default:
			w.batch, w.at = k.batch, int32(n)
			dst[n] = Event{w.token, r}
			n++
		}
	}
	if woken {
		n += k.collectWakers(dst[n:])
	}
	return n, nil
}

// isEnd reports whether ev, of a readFilter that is registered only for the end, is the
// end of its pipe. If so, and unless w is Edge, each later wait reports it too.
func (k *kqueue) isEnd(ev *knote, w *kqueueWatch) bool {
	if ev.flags&evEOF == 0 {
		return false
	}
	if w.clear == 0 {
		w.onlyEnd = false
		c := knote{ident: ev.ident, filter: readFilter, flags: evDelete, udata: w.generation}
		k.changes[0] = c
		c.flags = evAdd
		k.changes[1] = c
		k.apply(2)
	}
	return true
}

// collectWakers stores the events of pending wakers in dst.
func (k *kqueue) collectWakers(dst []Event) int {
	if k.pipe != nil {
		k.pipe.drain() // first: a wake after this writes to the pipe again
	}
	n, more := k.wakers.collect(dst)
	if more {
		k.endWait()
	}
	return n
}

// ready returns the readiness that ev reports. The end of a direction does not affect the
// other one, with two exceptions: a pipe watched for writing, and a socket with an error.
func (ev *knote) ready(pipe bool) Ready {
	var r Ready
	end := ev.flags&evEOF != 0
	switch ev.filter {
	case readFilter:
		r = Readable
		if end {
			r |= ReadClosed
		}
	case writeFilter:
		r = Writable
		if end {
			r |= WriteClosed
		}
	case exceptFilter:
		if ev.fflags&noteOOB != 0 {
			r = Priority
		}
		if end {
			r |= Readable | ReadClosed
		}
		return r // its fflags are notes, not an error
	}
	if end && pipe {
		r |= Writable | WriteClosed
	}
	if end && ev.fflags != 0 {
		r |= Readable | Writable | ReadClosed | WriteClosed | Error
	}
	if ev.flags&evError != 0 {
		r |= Readable | Writable | Error
	}
	return r
}

// filters returns the filters that i needs.
func (i Interest) filters() (fs filters) {
	if i&Readable != 0 {
		fs |= 1 << readFilter
	}
	if i&Writable != 0 {
		fs |= 1 << writeFilter
	}
	if i&Priority != 0 {
		fs |= 1 << exceptFilter
	}
	return fs
}
