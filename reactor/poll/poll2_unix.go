//go:build unix

package poll

import (
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// poll2 waits with poll(2), which every Unix has. The kernel keeps nothing
// between two calls, so the table of what is watched is kept here, and each
// wait hands the kernel a copy of it and looks at all answers: a wait takes
// time in proportion to what is registered.
//
// poll(2) knows no edges. For Edge interest the table notes what was told and
// stops asking for it, until Rearm or Modify forget the note. An error can't be left out
// of what is asked for. One that lasts though it was told, as with Linux's error queues,
// would end each wait at once: after Rearm its descriptor is left out for errorPause.
type poll2 struct {
	wakers *wakers

	// bell ends a poll(2) under way, because a Waker rang or the table changed.
	bell bell

	mu      sync.Mutex
	watches []watch
	at      map[int32]int // descriptor to index of watches
	lastID  uint64
	version uint64 // counts what invalidates asked
	waiting bool   // a wait works on a copy of the table
	closed  bool

	// The copy, which is wait's own. Index 0 is the bell, i is watches[i-1]
	// as long as version is copied.
	asked  []unix.PollFd
	origin []origin
	copied uint64
	next   int       // index of asked to begin with, so that each has its turn
	due    time.Time // when the first descriptor that is left out is to be asked for; zero: never
}

// errorPause bounds how late an event of a descriptor with a lasting error may be.
const errorPause = 5 * time.Millisecond

// watch is a registered descriptor.
type watch struct {
	id    uint64 // changes with each Register and Modify
	token Token
	fd    int32
	want  Interest
	told  Ready // with Edge: what is not to be told again
	file  identity
	askAt time.Time // until then it is left out, as its error lasts
}

// origin is the watch that an element of asked was copied from.
type origin struct {
	id uint64
	fd int32
}

// identity tells apart the files that a descriptor's number has stood for, as
// far as fstat does: sockets and pipes, but not two eventfds.
type identity struct{ dev, ino uint64 }

func newPoll2(ws *wakers) (backend, error) {
	p := &poll2{wakers: ws, at: make(map[int32]int), version: 1}
	if err := p.bell.open(); err != nil {
		return nil, err
	}
	p.asked = []unix.PollFd{{Fd: int32(p.bell.read), Events: unix.POLLIN}}
	p.origin = make([]origin, 1)
	return p, nil
}

func (p *poll2) close() error { return p.bell.close() }

func (p *poll2) interrupt() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.bell.toll()
}

func (p *poll2) watch(*Waker) error  { return nil }
func (p *poll2) forget(*Waker)       {}
func (p *poll2) ring(w *Waker) error { return p.bell.toll() }
func (p *poll2) edges() bool         { return false }

func (p *poll2) register(fd int, t Token, i Interest) error {
	file, err := identify(fd)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.at[int32(fd)]
	if !ok {
		at = len(p.watches)
		p.at[int32(fd)] = at
		p.watches = append(p.watches, watch{})
	} else if p.watches[at].file == file {
		return unix.EEXIST
	} // else the watch is that of a closed descriptor with this number
	p.set(at, watch{token: t, fd: int32(fd), want: i, file: file})
	return nil
}

func (p *poll2) modify(fd int, t Token, i Interest) error {
	file, err := identify(fd)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.at[int32(fd)]
	if !ok || p.watches[at].file != file {
		return unix.ENOENT
	}
	p.set(at, watch{token: t, fd: int32(fd), want: i, file: file})
	return nil
}

func (p *poll2) rearm(fd int, t Token, i Interest) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.at[int32(fd)]
	if !ok {
		return unix.ENOENT
	}
	if w := &p.watches[at]; w.told&Ready(i&^Edge) != 0 {
		if w.told&Error != 0 && hasError(fd) {
			w.askAt = time.Now().Add(errorPause)
		}
		w.told &^= Ready(i &^ Edge)
		p.changed()
	}
	return nil
}

func (p *poll2) remove(fd int) error {
	file, err := identify(fd)
	p.mu.Lock()
	defer p.mu.Unlock()
	was, ok := p.drop(int32(fd))
	if err == nil && (!ok || was != file) {
		return unix.ENOENT
	}
	return err
}

// set puts w, with an id of its own, at an index of the table.
func (p *poll2) set(at int, w watch) {
	p.lastID++
	w.id = p.lastID
	p.watches[at] = w
	p.changed()
}

// drop takes a descriptor out of the table, and tells what it stood for.
func (p *poll2) drop(fd int32) (identity, bool) {
	at, ok := p.at[fd]
	if !ok {
		return identity{}, false
	}
	file := p.watches[at].file
	last := len(p.watches) - 1
	p.watches[at] = p.watches[last]
	p.at[p.watches[at].fd] = at
	p.watches = p.watches[:last]
	delete(p.at, fd)
	p.changed()
	return file, true
}

// changed makes the wait under way take a new copy.
func (p *poll2) changed() {
	p.version++
	if p.waiting {
		p.waiting = false // one byte is enough
		p.bell.toll()
	}
}

// deafFIFOs says that the kernel tells nobody but select(2) that a FIFO has lost its last
// writer. It does tell of a pipe, which has no name.
const deafFIFOs = runtime.GOOS == "darwin" || runtime.GOOS == "ios"

// identify is what fd stands for, if that can be polled.
func identify(fd int) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return identity{}, err
	}
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFBLK:
		return identity{}, unix.EPERM
	case unix.S_IFIFO:
		if deafFIFOs && st.Nlink != 0 {
			return identity{}, unix.EPERM
		}
	}
	return identity{uint64(st.Dev), uint64(st.Ino)}, nil
}

func (p *poll2) wait(dst []Event, timeout time.Duration) (int, error) {
	begin := time.Now()
	left := timeout
	for {
		if err := p.copy(); err != nil {
			return 0, err
		}
		ready, err := pollFor(p.asked, p.untilDue(left))
		if err != nil && err != unix.EINTR {
			return 0, os.NewSyscallError("poll", err)
		}
		n := 0
		if err == nil && ready > 0 {
			n = p.collect(dst)
		}
		if n > 0 || timeout == 0 {
			return n, nil
		}
		if timeout > 0 {
			if left = timeout - time.Since(begin); left <= 0 {
				return 0, nil
			}
		}
	}
}

// copy brings asked up to date.
func (p *poll2) copy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.waiting = true
	if p.copied == p.version && p.untilDue(-1) != 0 {
		return nil
	}
	now := time.Now()
	p.copied, p.due = p.version, time.Time{}
	p.asked, p.origin = p.asked[:1], p.origin[:1]
	for i := range p.watches {
		w := &p.watches[i]
		asked := w.ask()
		if w.askAt.After(now) {
			asked.Fd = -1
			if p.due.IsZero() || w.askAt.Before(p.due) {
				p.due = w.askAt
			}
		}
		p.asked = append(p.asked, asked)
		p.origin = append(p.origin, origin{w.id, w.fd})
	}
	return nil
}

// untilDue returns the timeout, or the time until a descriptor that is left out is to be
// asked for again, if that is shorter.
func (p *poll2) untilDue(timeout time.Duration) time.Duration {
	if p.due.IsZero() {
		return timeout
	}
	due := max(0, time.Until(p.due))
	if timeout < 0 {
		return due
	}
	return min(timeout, due)
}

// ask is w as poll(2) takes it, which passes over a negative descriptor.
func (w *watch) ask() unix.PollFd {
	bits, ask := w.want.asks(w.told)
	if !ask {
		return unix.PollFd{Fd: -1}
	}
	return pollFd(int(w.fd), bits)
}

// collect moves what poll(2) answered to dst.
func (p *poll2) collect(dst []Event) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = false
	size := len(p.asked)
	first := p.next % size
	for k := 0; k < size && n < len(dst); k++ {
		i := first + k
		if i >= size {
			i -= size
		}
		revents := int(p.asked[i].Revents)
		if revents == 0 {
			continue
		}
		p.next = i + 1
		if i == 0 {
			n += p.hear(dst[n:])
		} else if ev := p.tell(i, revents); ev.Ready != 0 {
			dst[n] = ev
			n++
		}
	}
	return n
}

// hear empties the bell and collects the events of the wakers that rang it.
func (p *poll2) hear(dst []Event) int {
	p.bell.hush() // before the wakers are asked: who rings later rings again
	n, more := p.wakers.hear(dst)
	if more {
		p.bell.toll()
	}
	return n
}

// tell is the event of asked[i]; its Ready is 0 when there is none.
func (p *poll2) tell(i int, revents int) Event {
	w := p.find(i)
	if w == nil {
		return Event{}
	}
	if file, err := identify(int(w.fd)); err != nil || file != w.file {
		p.drop(w.fd) // closed without Remove, as epoll would have noticed
		return Event{}
	}
	r := pollReady(revents)
	if w.want&Edge != 0 {
		if r&^w.told == 0 {
			return Event{}
		}
		w.told |= r
		if p.copied == p.version {
			p.asked[i] = w.ask()
		}
	}
	return Event{w.token, r}
}

// find is the watch that asked[i] was copied from, nil if it has changed.
func (p *poll2) find(i int) *watch {
	o := p.origin[i]
	at := i - 1
	if p.copied != p.version {
		var ok bool
		if at, ok = p.at[o.fd]; !ok {
			return nil
		}
	}
	if w := &p.watches[at]; w.id == o.id {
		return w
	}
	return nil
}

// hasError reports whether poll(2) returns an error for a descriptor.
func hasError(fd int) bool {
	asked := []unix.PollFd{pollFd(fd, 0)}
	n, err := unix.Poll(asked, 0)
	return n > 0 && err == nil && int(asked[0].Revents)&unix.POLLERR != 0
}
