package poll

import (
	"encoding/binary"
	"math"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An epoll waits in Go's own poller, which can watch an epoll descriptor as it
// watches a socket: a goroutine that waits holds neither a thread nor a
// processor, and its wake-up is the runtime's ordinary one.
//
//	user's descriptors, wakers ──▶ users ──▶ middle ──▶ Go's poller ──▶ goroutine
//	                                timer ─────┘
//
// Were users watched by Go's poller itself, every event on it would wake a
// thread of the runtime, also while the goroutine is busy and will look anyway.
// So the middle epoll lets readiness through only while it is armed: armed when
// a wait is about to park, disarmed by the first wait that finds events without
// having parked.
//
// The timer is a timerfd for every timeout, as timers of the runtime's poller
// have a resolution of a millisecond. It is set only when the next deadline is
// earlier than what it is set to; a wait that it ends early goes on. It is
// watched for its edges, of which each expiry makes one, so nobody reads it.
//
// A kernel can be built without eventfds. There, one bell in middle rings for all
// wakers.
type epoll struct {
	wakers *wakers
	users  int // epoll: what was registered
	middle int // epoll: users, and the timer
	timer  int // timerfd

	park syscall.RawConn // of file
	file *os.File        // owns middle
	look func(uintptr) bool

	armed   bool
	timerAt time.Duration // what the timer was last set to, since start
	start   time.Time

	eventfd func(uint, int) (int, error)
	bell    *bell // nil where there are eventfds
	wakeups bool  // the wakers go first, with a bell

	raw []unix.EpollEvent

	// The wait under way.
	dst      []Event
	n        int
	err      error
	looks    int           // calls of look
	deadline time.Duration // since start
}

// maxRaw is how many events are fetched at once.
const maxRaw = 1024

// maxTimer keeps a timer's seconds within 32 bits.
const maxTimer = 1 << 30 * time.Second

const never = time.Duration(math.MaxInt64)

func newEpoll(ws *wakers) (backend, error) { return newEpollWith(ws, unix.Eventfd) }

func newEpollWith(ws *wakers, eventfd func(uint, int) (int, error)) (backend, error) {
	e := &epoll{wakers: ws, users: -1, timer: -1, eventfd: eventfd, start: time.Now()}
	e.look = e.lookAgain
	if err := e.open(); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// open makes the descriptors. What it made before it failed, close frees.
func (e *epoll) open() (err error) {
	if e.middle, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = unix.SetNonblock(e.middle, true); err != nil { // what makes os.NewFile hand it to the runtime's poller
		unix.Close(e.middle)
		return os.NewSyscallError("fcntl", err)
	}
	e.file = os.NewFile(uintptr(e.middle), "epoll")
	if e.park, err = e.file.SyscallConn(); err != nil {
		return err
	}
	if err = e.file.SetReadDeadline(time.Time{}); err != nil { // ErrNoDeadline: the runtime did not take it
		return err
	}
	if e.users, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if e.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return os.NewSyscallError("timerfd_create", err)
	}
	if err = control(e.middle, unix.EPOLL_CTL_ADD, e.timer, 0, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return err
	}
	if err = control(e.middle, unix.EPOLL_CTL_ADD, e.users, 0, 0); err != nil {
		return err
	}
	return e.hang()
}

func (e *epoll) close() error {
	if e.timer >= 0 {
		unix.Close(e.timer)
	}
	if e.users >= 0 {
		unix.Close(e.users)
	}
	if e.bell != nil {
		e.bell.close()
	}
	if e.file != nil {
		return e.file.Close()
	}
	return nil
}

func (e *epoll) interrupt() {
	// A deadline that passed refuses all waits, and is not forgotten.
	e.file.SetReadDeadline(time.Unix(1, 0))
}

func (e *epoll) register(fd int, t Token, i Interest) error {
	return control(e.users, unix.EPOLL_CTL_ADD, fd, t, i.epoll())
}

func (e *epoll) modify(fd int, t Token, i Interest) error {
	return control(e.users, unix.EPOLL_CTL_MOD, fd, t, i.epoll())
}

func (e *epoll) rearm(int, Token, Interest) error { return nil }

func (e *epoll) edges() bool { return true }

func (e *epoll) remove(fd int) error {
	return control(e.users, unix.EPOLL_CTL_DEL, fd, 0, 0)
}

// watch gives w an eventfd of its own, watched for edges: each write is one,
// whatever it holds, so nobody reads it.
func (e *epoll) watch(w *Waker) error {
	if e.bell != nil {
		return nil
	}
	fd, err := e.eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if err := control(e.users, unix.EPOLL_CTL_ADD, fd, w.token, unix.EPOLLIN|unix.EPOLLET); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("epoll_ctl", err)
	}
	w.fd = fd
	return nil
}

// hang makes the bell where there are no eventfds. It is watched by middle, as
// each token in users is the user's.
func (e *epoll) hang() error {
	fd, err := e.eventfd(0, unix.EFD_CLOEXEC)
	if err != unix.ENOSYS {
		unix.Close(fd)
		return os.NewSyscallError("eventfd", err)
	}
	b := new(bell)
	if err := b.open(); err != nil {
		return err
	}
	e.bell = b
	return os.NewSyscallError("epoll_ctl", control(e.middle, unix.EPOLL_CTL_ADD, b.read, 0, unix.EPOLLIN|unix.EPOLLET))
}

func (e *epoll) forget(w *Waker) {
	if w.fd >= 0 {
		unix.Close(w.fd)
	}
}

func (e *epoll) ring(w *Waker) error {
	if e.bell != nil {
		return e.bell.toll()
	}
	return ringEventfd(w.fd)
}

// wait looks, and parks when there is nothing. A wait after one that parked is
// likely to park too, so its first look is the one that parking begins with.
func (e *epoll) wait(dst []Event, timeout time.Duration) (int, error) {
	if !e.armed || timeout == 0 {
		if n, err := e.collect(dst); n > 0 || err != nil || timeout == 0 {
			e.busy(n)
			return n, err
		}
	}
	e.deadline = never
	if timeout > 0 {
		if now := time.Since(e.start); timeout < never-now {
			e.deadline = now + timeout
		}
	}
	e.dst, e.n, e.err, e.looks = dst, 0, nil, 0
	if err := e.park.Read(e.look); err != nil {
		e.err = ErrClosed // the only deadline ever set is interrupt's
	}
	e.dst = nil
	if e.looks == 1 {
		e.busy(e.n)
	}
	return e.n, e.err
}

// busy disarms the middle when a wait that did not park found n events: they
// come faster than they are handled.
func (e *epoll) busy(n int) {
	if n > 0 && e.armed {
		e.arm(0)
	}
}

// lookAgain tells whether the wait under way is over. The runtime forgets
// earlier readiness before the first call and none after it, so what comes
// after a look that found nothing ends the park.
func (e *epoll) lookAgain(uintptr) bool {
	e.looks++
	if !e.armed {
		if e.err = e.arm(unix.EPOLLIN); e.err != nil {
			return true
		}
	}
	// Arming does not look itself: the kernel tells of what is ready by then only
	// if the middle has not listed users since an earlier event.
	if e.n, e.err = e.collect(e.dst); e.n > 0 || e.err != nil {
		return true
	}
	if e.deadline == never {
		return false
	}
	now := time.Since(e.start)
	if now >= e.deadline {
		return true
	}
	if e.timerAt <= now || e.timerAt > e.deadline {
		e.err = e.setTimer(now)
	}
	return e.err != nil
}

// arm lets readiness of users through the middle, or no longer.
func (e *epoll) arm(events uint32) error {
	if err := control(e.middle, unix.EPOLL_CTL_MOD, e.users, 0, events); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	e.armed = events != 0
	return nil
}

// setTimer sets the timer to the deadline.
func (e *epoll) setTimer(now time.Duration) error {
	e.timerAt = e.deadline
	after := min(e.deadline-now, maxTimer)
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(after.Nanoseconds())}
	return os.NewSyscallError("timerfd_settime", unix.TimerfdSettime(e.timer, 0, &spec, nil))
}

// collect moves events to dst, without waiting.
func (e *epoll) collect(dst []Event) (int, error) {
	if e.bell == nil {
		n, err := e.fetch(dst)
		if n > 0 {
			for _, w := range e.wakers.all() {
				w.heard()
			}
		}
		return n, err
	}
	n := 0
	if e.wakeups = !e.wakeups; e.wakeups {
		n = e.hear(dst)
	}
	got, err := e.fetch(dst[n:])
	n += got
	if !e.wakeups {
		n += e.hear(dst[n:])
	}
	return n, err
}

// hear is the events of the wakers that rang the bell.
func (e *epoll) hear(dst []Event) int {
	e.bell.hush() // before the wakers are asked: who rings later rings again
	n, more := e.wakers.hear(dst)
	if more {
		e.bell.toll()
	}
	return n
}

// fetch is epoll_wait on users, with no timeout. The system call is raw: it
// cannot block, so the scheduler need not hear of it.
func (e *epoll) fetch(dst []Event) (int, error) {
	want := min(len(dst), maxRaw)
	if want == 0 {
		return 0, nil
	}
	if want > len(e.raw) {
		e.raw = make([]unix.EpollEvent, want)
	}
	r, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.users),
		uintptr(unsafe.Pointer(&e.raw[0])), uintptr(want), 0, 0, 0)
	if errno != 0 {
		if errno == unix.EINTR {
			return 0, nil
		}
		return 0, os.NewSyscallError("epoll_wait", errno)
	}
	n := int(r)
	for i, ev := range e.raw[:n] {
		dst[i] = Event{
			Token: Token(uint32(ev.Fd)) | Token(uint32(ev.Pad))<<32,
			Ready: readyOf(ev.Events),
		}
	}
	return n, nil
}

// control is epoll_ctl with the token as the kernel's event data: its low half
// in Fd, its high half in Pad.
func control(epoll, op, fd int, t Token, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(t)), Pad: int32(uint32(t >> 32))}
	return unix.EpollCtl(epoll, op, fd, &ev)
}

// epoll is i in the kernel's bits.
func (i Interest) epoll() uint32 {
	var ev uint32
	if i&Readable != 0 {
		ev |= unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if i&Writable != 0 {
		ev |= unix.EPOLLOUT
	}
	if i&Priority != 0 {
		ev |= unix.EPOLLPRI
	}
	if i&Edge != 0 {
		ev |= unix.EPOLLET
	}
	return ev
}

// readyOf is the kernel's bits, which epoll and poll(2) share, as Ready.
func readyOf(ev uint32) Ready {
	var r Ready
	if ev&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		r |= Readable
	}
	if ev&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		r |= Writable
	}
	if ev&unix.EPOLLPRI != 0 {
		r |= Priority
	}
	if ev&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0 {
		r |= ReadClosed
	}
	if ev&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		r |= WriteClosed
	}
	if ev&unix.EPOLLERR != 0 {
		r |= Error
	}
	return r
}

// ringEventfd adds one to an eventfd. A counter that is full, after 2⁶⁴-2
// wakes, is emptied first. The system calls are raw: they cannot block.
func ringEventfd(fd int) error {
	var count [8]byte
	for {
		binary.NativeEndian.PutUint64(count[:], 1)
		_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&count)), 8)
		switch errno {
		case 0:
			return nil
		case unix.EAGAIN:
			syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&count)), 8)
		case unix.EINTR:
		default:
			return os.NewSyscallError("write", errno)
		}
	}
}
