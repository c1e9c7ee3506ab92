package poll

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// init adds two backends to those of the platform, so that all tests also run with them:
// the code of kqueue_unix.go over a model of the kernel.
func init() {
	backends = append(backends,
		opener{"kqueue (model)", func(ws *wakers) (backend, error) {
			return newKqueueOver(ws, &kqueueModel{user: true, fails: allFilters, dropsBroken: true})
		}},
		opener{"kqueue with a pipe (model)", func(ws *wakers) (backend, error) {
			return newKqueueOver(ws, &kqueueModel{fails: allFilters, hidesBroken: true})
		}})
}

// kqueueModel implements kevent(2), as its manual pages describe it, over descriptors of
// Linux. It has an epoll for each filter, because an epoll accepts a descriptor only once,
// and uses EPOLLET for evClear. It models the differences between a kqueue and an epoll:
//
//   - one descriptor has several events, whose user data is any word;
//   - each direction has its own end, and fflags reports an error;
//   - closing a descriptor drops its knotes, and changes may fail;
//   - a pipe without a reader cannot be watched for writing.
//
// The model with a pipe instead of a userFilter behaves like netbsd: a writeFilter does not
// report that a pipe has lost its reader. The other one behaves like freebsd: it drops such
// a writeFilter after it has reported that.
//
// The sockets are those of Linux, so a test over the model says nothing about the sockets
// of a BSD.
type kqueueModel struct {
	user        bool   // has a userFilter
	plain       bool   // has no exceptFilter
	hidesBroken bool   // a writeFilter does not report that the reader of a pipe is closed
	dropsBroken bool   // a writeFilter is dropped after it has reported that
	fails       filter // knotes of this filter cannot be added; allFilters means none

	epolls  [userFilter]int // by filter
	trigger int             // eventfd

	mu     sync.Mutex
	last   uint64
	knotes map[uint64]modelKnote
	serial map[modelKey]uint64

	// Used by wait only.
	polled [userFilter + 1]unix.PollFd
	raw    [maxKqueue]unix.EpollEvent
	count  [8]byte
	next   int // filter that collect starts with, for fairness
}

// modelKey identifies a knote in a kqueue.
type modelKey struct {
	fd     int
	filter filter
}

type modelKnote struct {
	modelKey
	udata  uintptr
	socket bool // a stream socket, whose errors end it
	dgram  bool // a datagram socket, whose errors do not
	hides  bool // does not report that the reader of its pipe is closed
	drops  bool // is dropped after it has reported that
}

func (m *kqueueModel) kqueue() (err error) {
	m.knotes, m.serial = make(map[uint64]modelKnote), make(map[modelKey]uint64)
	for f := range m.epolls {
		if m.epolls[f], err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
			return os.NewSyscallError("epoll_create1", err)
		}
	}
	if m.trigger, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	return nil
}

func (m *kqueueModel) close() error {
	for _, fd := range m.epolls {
		unix.Close(fd)
	}
	return unix.Close(m.trigger)
}

func (m *kqueueModel) has(f filter) bool {
	switch f {
	case exceptFilter:
		return !m.plain
	case userFilter:
		return m.user
	}
	return true
}

func (m *kqueueModel) change(changes []knote) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range changes {
		if err := m.one(&changes[i]); err != nil {
			return err
		}
	}
	return nil
}

// one makes a change.
func (m *kqueueModel) one(c *knote) error {
	if c.filter == userFilter {
		if c.fflags&noteTrigger != 0 {
			return signalEventfd(m.trigger)
		}
		return nil
	}
	key := modelKey{c.ident, c.filter}
	epoll, serial := m.epolls[c.filter], m.serial[key]
	events := [...]uint32{unix.EPOLLIN | unix.EPOLLRDHUP, unix.EPOLLOUT, unix.EPOLLPRI}[c.filter]
	switch {
	case c.flags&evDelete != 0:
		delete(m.knotes, serial)
		delete(m.serial, key)
		return control(epoll, unix.EPOLL_CTL_DEL, c.ident, 0, 0)
	case c.flags&evAdd == 0:
		if k, ok := m.knotes[serial]; !ok || k.udata != c.udata {
			return unix.ENOENT
		}
		// Check whether it is still there, without a change that would cause an event.
		err := control(epoll, unix.EPOLL_CTL_ADD, c.ident, 0, 0)
		if err == unix.EEXIST {
			return nil
		}
		if err == nil {
			control(epoll, unix.EPOLL_CTL_DEL, c.ident, 0, 0)
			err = unix.ENOENT
		}
		return err
	}
	if c.filter == m.fails {
		return unix.ENOMEM
	}
	if c.filter == writeFilter && brokenPipe(c.ident) {
		if m.hidesBroken {
			return unix.EBADF
		}
		return unix.EPIPE
	}
	if c.flags&evClear != 0 {
		events |= unix.EPOLLET
	}
	delete(m.knotes, serial)
	m.last++
	k := modelKnote{modelKey: key, udata: c.udata}
	kind, err := unix.GetsockoptInt(c.ident, unix.SOL_SOCKET, unix.SO_TYPE)
	k.dgram = err == nil && kind == unix.SOCK_DGRAM
	k.socket = err == nil && !k.dgram
	writes := c.filter == writeFilter && m.pipe(c.ident)
	k.hides, k.drops = m.hidesBroken && writes, m.dropsBroken && writes
	err = control(epoll, unix.EPOLL_CTL_ADD, c.ident, Token(m.last), events)
	if err == unix.EEXIST {
		err = control(epoll, unix.EPOLL_CTL_MOD, c.ident, Token(m.last), events)
	}
	if err == nil {
		m.knotes[m.last], m.serial[key] = k, m.last
	}
	return err
}

func (m *kqueueModel) pipe(fd int) bool { return isFIFO(fd) }

func isFIFO(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO
}

// brokenPipe reports whether fd is an end of a pipe whose other end is closed.
func brokenPipe(fd int) bool {
	if !isFIFO(fd) {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(fd)}}
	unix.Poll(fds, 0)
	return fds[0].Revents != 0
}

func (m *kqueueModel) wait(events []knote, timeout time.Duration) (int, error) {
	for begin := time.Now(); ; {
		if n := m.collect(events); n > 0 {
			return n, nil
		}
		left := timeout
		if timeout >= 0 {
			if left -= time.Since(begin); left <= 0 {
				return 0, nil
			}
		}
		for f, fd := range m.epolls {
			m.polled[f] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		}
		m.polled[userFilter] = unix.PollFd{Fd: int32(m.trigger), Events: unix.POLLIN}
		if _, err := pollFor(m.polled[:], left); err != nil {
			return 0, err
		}
	}
}

// collect stores events without waiting.
func (m *kqueueModel) collect(events []knote) (n int) {
	for range allFilters {
		if n == len(events) {
			break
		}
		f := filter(m.next % int(allFilters))
		m.next++
		if f == userFilter {
			if got, _ := unix.Read(m.trigger, m.count[:]); got == len(m.count) {
				events[n] = knote{filter: userFilter, fflags: noteTrigger}
				n++
			}
			continue
		}
		got := epollNow(m.epolls[f], m.raw[:len(events)-n])
		m.mu.Lock()
		for _, ev := range m.raw[:got] {
			k, ok := m.knotes[uint64(uint32(ev.Fd))|uint64(uint32(ev.Pad))<<32]
			if !ok || k.hides && ev.Events&unix.EPOLLERR != 0 {
				continue
			}
			events[n] = k.event(ev.Events)
			n++
			if k.drops && ev.Events&unix.EPOLLERR != 0 {
				m.one(&knote{ident: k.fd, filter: k.filter, flags: evDelete})
			}
		}
		m.mu.Unlock()
	}
	return n
}

// epollNow calls epoll_wait without a timeout.
func epollNow(epoll int, raw []unix.EpollEvent) int {
	for {
		n, err := unix.EpollWait(epoll, raw, 0)
		if err != syscall.EINTR {
			return max(n, 0)
		}
	}
}

// event returns the event of a knote for bits of epoll.
func (k *modelKnote) event(bits uint32) knote {
	ev := knote{ident: k.fd, filter: k.filter, udata: k.udata}
	end := uint32(unix.EPOLLHUP)
	if !k.dgram {
		end |= unix.EPOLLERR
	}
	if k.filter == readFilter {
		end |= unix.EPOLLRDHUP
	}
	if bits&end != 0 {
		ev.flags |= evEOF
	}
	switch {
	case k.filter == exceptFilter && bits&unix.EPOLLPRI != 0:
		ev.fflags = noteOOB
	case k.filter != exceptFilter && k.socket && bits&unix.EPOLLERR != 0:
		ev.fflags = uint32(unix.ECONNRESET) // any error: SO_ERROR has the real one
	}
	return ev
}
