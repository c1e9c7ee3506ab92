//go:build unix

package poll

import (
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// poll2 is a backend that waits with poll(2), which every Unix has. The kernel keeps no
// state between two calls, so the table of watches is here. Each wait gives the kernel a
// copy of it and checks all results, so its cost grows with the number of watches.
//
// poll(2) has no edges. With Edge, a watch records the readiness that was reported, and
// the wait does not ask for it again until Rearm or Modify clears the record. An error cannot
// be left out of what is asked for. One that lasts although it was reported, as with Linux's
// error queues, would end each wait at once: after Rearm its descriptor is left out for
// errorPause.
type poll2 struct {
	wakers *wakers

	// pipe ends the current poll(2) after a wake or a change of the table.
	pipe wakePipe

	mu      sync.Mutex
	watches []watch
	at      map[int32]int // index in watches by descriptor
	lastID  uint64
	version uint64 // of watches; it grows with each change
	waiting bool   // a wait uses a copy of the table
	closed  bool

	// The copy, used by wait only. Element 0 is the pipe, element i is watches[i-1] if
	// copied equals version.
	polled []unix.PollFd
	origin []origin
	copied uint64
	next   int       // index in polled that collect starts with, for fairness
	due    time.Time // when the first descriptor that is left out is to be polled again; zero: never
}

// errorPause bounds how late an event of a descriptor with a lasting error may be.
const errorPause = 5 * time.Millisecond

// watch is a registered descriptor.
type watch struct {
	id       uint64 // changes with each Register and Modify
	token    Token
	fd       int32
	want     Interest
	reported Ready // with Edge: readiness that is not to be reported again
	file     identity
	resumeAt time.Time // until then it is left out, as its error lasts
}

// origin identifies the watch that an element of polled was copied from.
type origin struct {
	id uint64
	fd int32
}

// identity identifies the file behind a descriptor, as far as fstat does: it
// distinguishes sockets and pipes, but not two eventfds.
type identity struct{ dev, ino uint64 }

func newPoll2(ws *wakers) (backend, error) {
	p := &poll2{wakers: ws, at: make(map[int32]int), version: 1}
	if err := p.pipe.open(); err != nil {
		return nil, err
	}
	p.polled = []unix.PollFd{{Fd: int32(p.pipe.read), Events: unix.POLLIN}}
	p.origin = make([]origin, 1)
	return p, nil
}

func (p *poll2) close() error { return p.pipe.close() }

func (p *poll2) interrupt() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.pipe.wake()
}

func (p *poll2) addWaker(*Waker) error { return nil }
func (p *poll2) removeWaker(*Waker)    {}
func (p *poll2) wake(*Waker) error     { return p.pipe.wake() }
func (p *poll2) edges() bool           { return false }

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
	} // else the watch is of a closed descriptor that had this number
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
	if w := &p.watches[at]; w.reported&Ready(i&^Edge) != 0 {
		if w.reported&Error != 0 && hasError(fd) {
			w.resumeAt = time.Now().Add(errorPause)
		}
		w.reported &^= Ready(i &^ Edge)
		p.changed()
	}
	return nil
}

func (p *poll2) remove(fd int) error {
	file, err := identify(fd)
	p.mu.Lock()
	defer p.mu.Unlock()
	old, ok := p.drop(int32(fd))
	if err == nil && (!ok || old != file) {
		return unix.ENOENT
	}
	return err
}

// set stores w with a new id at an index of the table.
func (p *poll2) set(at int, w watch) {
	p.lastID++
	w.id = p.lastID
	p.watches[at] = w
	p.changed()
}

// drop removes a descriptor from the table and returns the file that it was registered
// for.
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

// changed makes the current wait copy the table again.
func (p *poll2) changed() {
	p.version++
	if p.waiting {
		p.waiting = false // so that later changes need not write to the pipe
		p.pipe.wake()
	}
}

// badFIFOs is true if only select(2) reports that a FIFO has lost its last writer. Pipes,
// which have no name, are not affected.
const badFIFOs = runtime.GOOS == "darwin" || runtime.GOOS == "ios"

// identify returns the identity of fd's file, or an error if it cannot be polled.
func identify(fd int) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return identity{}, err
	}
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFBLK:
		return identity{}, unix.EPERM
	case unix.S_IFIFO:
		if badFIFOs && st.Nlink != 0 {
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
		ready, err := pollFor(p.polled, p.untilDue(left))
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

// copy updates polled.
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
	p.polled, p.origin = p.polled[:1], p.origin[:1]
	for i := range p.watches {
		w := &p.watches[i]
		polled := w.pollFd()
		if w.resumeAt.After(now) {
			polled.Fd = -1
			if p.due.IsZero() || w.resumeAt.Before(p.due) {
				p.due = w.resumeAt
			}
		}
		p.polled = append(p.polled, polled)
		p.origin = append(p.origin, origin{w.id, w.fd})
	}
	return nil
}

// untilDue returns the timeout, or the time until a descriptor that is left out is to be
// polled again, if that is shorter.
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

// pollFd returns the argument of poll(2) for w. poll(2) ignores a negative descriptor.
func (w *watch) pollFd() unix.PollFd {
	bits, ask := w.want.unreported(w.reported)
	if !ask {
		return unix.PollFd{Fd: -1}
	}
	return pollFd(int(w.fd), bits)
}

// collect stores the results of poll(2) in dst.
func (p *poll2) collect(dst []Event) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = false
	size := len(p.polled)
	first := p.next % size
	for k := 0; k < size && n < len(dst); k++ {
		i := first + k
		if i >= size {
			i -= size
		}
		revents := int(p.polled[i].Revents)
		if revents == 0 {
			continue
		}
		p.next = i + 1
		if i == 0 {
			n += p.collectWakers(dst[n:])
		} else if ev := p.event(i, revents); ev.Ready != 0 {
			dst[n] = ev
			n++
		}
	}
	return n
}

// collectWakers drains the pipe and stores the events of pending wakers in dst.
func (p *poll2) collectWakers(dst []Event) int {
	p.pipe.drain() // first: a wake after this writes to the pipe again
	n, more := p.wakers.collect(dst)
	if more {
		p.pipe.wake()
	}
	return n
}

// event returns the event of polled[i]. Its Ready is 0 if there is none.
func (p *poll2) event(i int, revents int) Event {
	w := p.find(i)
	if w == nil {
		return Event{}
	}
	if file, err := identify(int(w.fd)); err != nil || file != w.file {
		p.drop(w.fd) // closed without Remove
		return Event{}
	}
	r := pollReady(revents)
	if w.want&Edge != 0 {
		if r&^w.reported == 0 {
			return Event{}
		}
		w.reported |= r
		if p.copied == p.version {
			p.polled[i] = w.pollFd()
		}
	}
	return Event{w.token, r}
}

// find returns the watch that polled[i] was copied from, or nil if it has changed.
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
