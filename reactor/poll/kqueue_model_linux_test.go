package poll

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of this package run over these two beside the platform's own: the
// logic of kqueue_unix.go on a model of the kernel below it.
func init() {
	backends = append(backends,
		opener{"kqueue (model)", func(ws *wakers) (backend, error) {
			return newKqueueOver(ws, &kqueueModel{user: true, fails: allFilters, drops: true})
		}},
		opener{"kqueue with a bell (model)", func(ws *wakers) (backend, error) {
			return newKqueueOver(ws, &kqueueModel{fails: allFilters, deaf: true})
		}})
}

// kqueueModel is kevent(2) as its manual pages have it, over descriptors of
// Linux: an epoll for each filter, as an epoll holds a descriptor once, with
// EPOLLET for evClear. It keeps what tells a kqueue from an epoll: two events of
// one descriptor, a word that need not be a token, ends that each direction has
// of its own, an error told by fflags, knotes that closing drops, errors of
// changes, and a pipe without a reader that can't be watched for writing. One with a
// bell is deaf as netbsd is: who waits to write to a pipe is not told that its reader
// went. The other one drops that knote once it has told, as freebsd does.
//
// What it can't tell is what a BSD's sockets do: these are Linux's. So what passes
// over it is the logic's, never the platform's.
type kqueueModel struct {
	user  bool   // there is a userFilter
	plain bool   // there is no exceptFilter
	deaf  bool   // a writeFilter does not tell that a pipe's reader is gone
	drops bool   // and one that does is gone as well
	fails filter // whose knotes can't be added, if not allFilters

	epolls  [userFilter]int // by filter
	trigger int             // eventfd

	mu     sync.Mutex
	last   uint64
	knotes map[uint64]modelKnote
	serial map[modelKey]uint64

	// wait's own
	polled [userFilter + 1]unix.PollFd
	raw    [maxKqueue]unix.EpollEvent
	count  [8]byte
	next   int // filter to begin with, so that each has its turn
}

// modelKey is what a kqueue knows a knote by.
type modelKey struct {
	fd     int
	filter filter
}

type modelKnote struct {
	modelKey
	udata  uintptr
	socket bool // a stream socket, whose errors are ends
	dgram  bool // a datagram socket, whose errors are not
	deaf   bool // of a pipe, and not told that the reader is gone
	drops  bool // of a pipe, and dropped when that was told
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
			return ringEventfd(m.trigger)
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
		// Whether it is there still, without a change that would be an edge.
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
		if m.deaf {
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
	k.deaf, k.drops = m.deaf && writes, m.drops && writes
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

// brokenPipe tells whether fd is the end of a pipe that has lost the other.
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

// collect fills events with what there is.
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
			if !ok || k.deaf && ev.Events&unix.EPOLLERR != 0 {
				continue
			}
			events[n] = k.tell(ev.Events)
			n++
			if k.drops && ev.Events&unix.EPOLLERR != 0 {
				m.one(&knote{ident: k.fd, filter: k.filter, flags: evDelete})
			}
		}
		m.mu.Unlock()
	}
	return n
}

// epollNow is epoll_wait without waiting.
func epollNow(epoll int, raw []unix.EpollEvent) int {
	for {
		n, err := unix.EpollWait(epoll, raw, 0)
		if err != syscall.EINTR {
			return max(n, 0)
		}
	}
}

// tell is the event of a knote whose descriptor has epoll's bits.
func (k *modelKnote) tell(bits uint32) knote {
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
		ev.fflags = uint32(unix.ECONNRESET) // which one, SO_ERROR alone would tell
	}
	return ev
}
