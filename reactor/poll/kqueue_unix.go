//go:build unix

package poll

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A kqueue waits in kevent(2), with a knote in the kernel for each direction of
// each descriptor, and a thread held for as long as it waits: a kqueue can only
// be read, so Go's own poller, which asks for both directions, refuses it.
//
//	kqueue_unix.go     what is asked of the kernel, and what its answers mean
//	kqueue_bsd.go      the kernel
//	kqueue_GOOS.go     what this kernel has
//
// The kernel hands back a word with each event, which on some platforms has 32
// bits, and on most the type of a pointer, so a Token does not fit and must not
// be there. The word is a generation instead: an event counts if the watch of its
// descriptor is of that generation. So one that was fetched before its watch
// was changed, removed or replaced, and is looked at after, is dropped.
//
// It compiles on every Unix, as its tests run it over a model of kevent(2).
type kqueue struct {
	kernel kqueueKernel
	wakers *wakers
	bell   *bell // rung where the kernel has no userFilter, else nil

	mu         sync.Mutex
	watches    []kqueueWatch // by descriptor
	generation uintptr       // of the latest watch
	changes    [3]knote      // what apply hands to the kernel
	closed     bool

	// The wait under way.
	events []knote
	batch  uint64 // counts collects
}

// kqueueWatch is a descriptor's registration; its generation is 0 when there is
// none.
type kqueueWatch struct {
	token      Token
	generation uintptr
	batch      uint64 // the last collect that told of it
	at         int32  // and the index of its event there
	filters    filters
	clear      uint16 // evClear with Edge interest
	pipe       bool   // readFilter's end is writeFilter's as well: see add
	lookout    bool   // readFilter is there for that alone
}

// kqueueKernel are the calls that a kqueue makes.
type kqueueKernel interface {
	// kqueue makes the kqueue that the other calls are for.
	kqueue() error
	// change makes changes, up to the first that fails.
	change([]knote) error
	// wait fills events, and waits for the first one until the timeout has passed,
	// if it is not negative. It is called by one goroutine at a time.
	wait(events []knote, timeout time.Duration) (int, error)
	has(filter) bool
	// pipe tells whether fd is an end of a pipe without a name, of which the loss of
	// the other end is the end of both directions.
	pipe(fd int) bool
	close() error
}

// knote is the kernel's struct kevent, without its data and free of pointers.
type knote struct {
	ident  int // a descriptor
	filter filter
	flags  uint16
	fflags uint32
	udata  uintptr
}

// filter is a kind of event, whatever its number in the kernel.
type filter uint8

const (
	readFilter   filter = iota
	writeFilter         //
	exceptFilter        // urgent data, with noteOOB
	userFilter          // what noteTrigger triggers
	allFilters
)

// filters is a set of them.
type filters uint8

func (fs filters) have(f filter) bool { return fs>>f&1 != 0 }

// Flags, which have the same bits everywhere.
const (
	evAdd    = 0x1
	evDelete = 0x2
	evEnable = 0x4
	evClear  = 0x20   // events are edges
	evError  = 0x4000 // a change failed
	evEOF    = 0x8000 // the direction has ended; fflags is the socket's error
)

// Notes, which the kernel's package gives its kernel's bits.
const (
	noteOOB     = 1 << 0
	noteTrigger = 1 << 1
)

func newKqueueOver(ws *wakers, kernel kqueueKernel) (backend, error) {
	k := &kqueue{kernel: kernel, wakers: ws}
	if err := kernel.kqueue(); err != nil {
		return nil, err
	}
	if err := k.hang(); err != nil {
		kernel.close()
		return nil, err
	}
	return k, nil
}

// hang makes what ends a wait: an event of the user's, or a bell.
func (k *kqueue) hang() error {
	if k.kernel.has(userFilter) {
		k.changes[0] = knote{filter: userFilter, flags: evAdd | evClear}
		return os.NewSyscallError("kevent", k.apply(1))
	}
	k.bell = new(bell)
	if err := k.bell.open(); err != nil {
		return err
	}
	k.changes[0] = knote{ident: k.bell.read, filter: readFilter, flags: evAdd | evClear}
	if err := k.apply(1); err != nil {
		k.bell.close()
		return os.NewSyscallError("kevent", err)
	}
	return nil
}

// isBell tells whether ev is what hang made: no watch has generation 0.
func (k *kqueue) isBell(ev *knote) bool { return ev.udata == 0 }

func (k *kqueue) close() error {
	if k.bell != nil {
		k.bell.close()
	}
	return k.kernel.close()
}

func (k *kqueue) interrupt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.toll()
}

// toll ends the wait under way, or the next one. The lock is held.
func (k *kqueue) toll() error {
	if k.bell != nil {
		return k.bell.toll()
	}
	k.changes[0] = knote{filter: userFilter, fflags: noteTrigger}
	return os.NewSyscallError("kevent", k.apply(1))
}

func (k *kqueue) watch(*Waker) error { return nil }
func (k *kqueue) forget(*Waker)      {}

func (k *kqueue) ring(*Waker) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.toll()
}

func (k *kqueue) edges() bool                      { return true }
func (k *kqueue) rearm(int, Token, Interest) error { return nil }

func (k *kqueue) register(fd int, t Token, i Interest) error {
	if _, err := identify(fd); err != nil { // kqueues watch files, which are always ready
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.find(fd); w != nil && k.stands(fd, *w) {
		return unix.EEXIST
	} // else the watch is that of a closed descriptor with this number
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

// find is the watch of a descriptor, or nil.
func (k *kqueue) find(fd int) *kqueueWatch {
	if fd < len(k.watches) && k.watches[fd].generation != 0 {
		return &k.watches[fd]
	}
	return nil
}

// stands tells whether the descriptor that w is for is open still. Of a pipe that has
// lost its reader freebsd drops the writeFilter by itself, but not the other one.
func (k *kqueue) stands(fd int, w kqueueWatch) bool {
	if w.pipe {
		w.filters = 1 << readFilter
	}
	return k.all(fd, &w, evEnable) == nil
}

// add watches a descriptor that is not watched, or was by its number alone.
//
// A pipe that loses its reader is an event for whoever waits to write, but openbsd
// and netbsd wake a writeFilter before that has happened, and then no more. Their
// readFilter of the writing end tells it, as that end has lost both directions, and so
// a pipe has one in any case. Most kernels also refuse a writeFilter once the reader is
// gone, with EPIPE, or EBADF on netbsd: then the readFilter is left alone.
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
		return unix.ENOTSUP // Priority alone, where it has no filter
	}
	if pipe && w.filters.have(writeFilter) {
		w.pipe, w.lookout = true, !w.filters.have(readFilter)
		w.filters |= 1 << readFilter
	}
	err := k.all(fd, &w, evAdd)
	if (err == unix.EPIPE || err == unix.EBADF) && w.filters.have(writeFilter) {
		w.filters &^= 1 << writeFilter
		w.filters |= 1 << readFilter
		w.pipe, w.lookout = true, false
		err = k.all(fd, &w, evAdd)
	}
	if err != nil {
		for f := range allFilters { // what was added before the one that failed
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

// drop ends the watch of a descriptor, and of one that was closed, too.
func (k *kqueue) drop(fd int) error {
	w := k.find(fd)
	if w == nil {
		if _, err := identify(fd); err == unix.EBADF {
			return err
		}
		return unix.ENOENT
	}
	if w.pipe && w.filters.have(writeFilter) { // it may be gone: see stands
		w.filters &^= 1 << writeFilter
		k.changes[0] = knote{ident: fd, filter: writeFilter, flags: evDelete}
		k.apply(1)
	}
	err := k.all(fd, w, evDelete)
	*w = kqueueWatch{}
	return err
}

// all makes a change of all filters of w: evAdd, evDelete, or evEnable, which
// changes nothing and fails when there is no such knote.
func (k *kqueue) all(fd int, w *kqueueWatch, flag uint16) error {
	n := 0
	for f := range allFilters {
		if !w.filters.have(f) {
			continue
		}
		c := knote{ident: fd, filter: f, flags: flag, udata: w.generation}
		if flag == evAdd {
			c.flags |= w.clear
			if w.lookout && f == readFilter {
				c.flags |= evClear // what can be read is no news, level or not
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

// apply has the kernel make the first n changes. It has made all of them when it
// says that a signal came.
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

// maxKqueue is how many knotes are fetched at once.
const maxKqueue = 1024

// collect moves what kevent(2) answered to dst, an event a descriptor. There is
// room, as there was none for more knotes.
func (k *kqueue) collect(dst []Event, got []knote) (n int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return 0, ErrClosed
	}
	k.batch++
	rang := false
	for i := range got {
		ev := &got[i]
		if k.isBell(ev) {
			rang = true
			continue
		}
		w := k.find(ev.ident)
		if w == nil || w.generation != ev.udata {
			continue
		}
		if w.lookout && ev.filter == readFilter && !k.lost(ev, w) {
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
	if rang {
		n += k.hear(dst[n:])
	}
	return n, nil
}

// lost tells whether a lookout's event says that its pipe has lost the other end,
// which is a level from here on unless w is Edge.
func (k *kqueue) lost(ev *knote, w *kqueueWatch) bool {
	if ev.flags&evEOF == 0 {
		return false
	}
	if w.clear == 0 {
		w.lookout = false
		c := knote{ident: ev.ident, filter: readFilter, flags: evDelete, udata: w.generation}
		k.changes[0] = c
		c.flags = evAdd
		k.changes[1] = c
		k.apply(2)
	}
	return true
}

// hear is the events of the wakers that rang the bell.
func (k *kqueue) hear(dst []Event) int {
	if k.bell != nil {
		k.bell.hush() // before the wakers are asked: who rings later rings again
	}
	n, more := k.wakers.hear(dst)
	if more {
		k.toll()
	}
	return n
}

// ready is what ev tells. A direction's end is its own, unless it is that of a pipe
// watched for writing, or the socket has an error: these end both.
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
		return r // its fflags are notes
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

// filters are those that i needs.
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
