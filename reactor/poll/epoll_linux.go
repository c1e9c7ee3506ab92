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

// epoll is the backend of Linux. A wait parks its goroutine in the poller of the Go
// runtime, which can watch an epoll descriptor like a socket. So a waiting goroutine uses
// neither a thread nor a processor, and it is woken in the runtime's usual way.
//
//	user's descriptors, wakers ──▶ users ──▶ middle ──▶ Go's poller ──▶ goroutine
//	                                timer ─────┘
//
// If Go's poller watched users directly, every event would wake a thread of the runtime,
// even if the goroutine is busy and will find the event anyway. So the epoll in the middle
// passes on the readiness of users only while it is armed. A wait arms it before it parks;
// a wait that finds events without having parked disarms it.
//
// Timeouts use a timerfd, because timers of the runtime's poller have a resolution of a
// millisecond. The timerfd is set only if the next deadline is before the time it is set
// to; a wait that it ends too early continues. It is watched edge-triggered and never
// read, as each expiry is an edge.
//
// If the kernel was built without eventfds, all wakers share one pipe, watched by middle.
type epoll struct {
	wakers *wakers
	users  int // epoll of the registered descriptors
	middle int // epoll of users and the timer
	timer  int // timerfd

	park    syscall.RawConn // of file
	file    *os.File        // owns middle
	tryRead func(uintptr) bool

	armed   bool
	timerAt time.Duration // time that the timer was last set to, since start
	start   time.Time

	eventfd     func(uint, int) (int, error)
	pipe        *wakePipe // nil if there are eventfds
	wakersFirst bool      // with a pipe: collect from wakers before users, every other time

	raw []unix.EpollEvent

	// State of the current wait.
	dst      []Event
	n        int
	err      error
	tries    int           // calls of tryRead
	deadline time.Duration // since start
}

// maxRaw is the number of events that one system call fetches.
const maxRaw = 1024

// maxTimer keeps the seconds of a timer within 32 bits.
const maxTimer = 1 << 30 * time.Second

const never = time.Duration(math.MaxInt64)

func newEpoll(ws *wakers) (backend, error) { return newEpollWith(ws, unix.Eventfd) }

func newEpollWith(ws *wakers, eventfd func(uint, int) (int, error)) (backend, error) {
	e := &epoll{wakers: ws, users: -1, timer: -1, eventfd: eventfd, start: time.Now()}
	e.tryRead = e.tryCollect
	if err := e.open(); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// open opens the descriptors. If it fails, close closes those that were opened.
func (e *epoll) open() (err error) {
	if e.middle, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = unix.SetNonblock(e.middle, true); err != nil { // so that os.NewFile gives it to the runtime's poller
		unix.Close(e.middle)
		return os.NewSyscallError("fcntl", err)
	}
	e.file = os.NewFile(uintptr(e.middle), "epoll")
	if e.park, err = e.file.SyscallConn(); err != nil {
		return err
	}
	if err = e.file.SetReadDeadline(time.Time{}); err != nil { // ErrNoDeadline if the runtime's poller refused it
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
	return e.openPipe()
}

func (e *epoll) close() error {
	if e.timer >= 0 {
		unix.Close(e.timer)
	}
	if e.users >= 0 {
		unix.Close(e.users)
	}
	if e.pipe != nil {
		e.pipe.close()
	}
	if e.file != nil {
		return e.file.Close()
	}
	return nil
}

func (e *epoll) interrupt() {
	// A deadline in the past ends the current read and fails all later ones.
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

// addWaker creates an eventfd for w. It is watched edge-triggered and never read, as each
// write is an edge.
func (e *epoll) addWaker(w *Waker) error {
	if e.pipe != nil {
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

// openPipe opens the pipe if there are no eventfds. middle watches it, as every token in
// users belongs to the caller.
func (e *epoll) openPipe() error {
	fd, err := e.eventfd(0, unix.EFD_CLOEXEC)
	if err != unix.ENOSYS {
		unix.Close(fd)
		return os.NewSyscallError("eventfd", err)
	}
	p := new(wakePipe)
	if err := p.open(); err != nil {
		return err
	}
	e.pipe = p
	return os.NewSyscallError("epoll_ctl", control(e.middle, unix.EPOLL_CTL_ADD, p.read, 0, unix.EPOLLIN|unix.EPOLLET))
}

func (e *epoll) removeWaker(w *Waker) {
	if w.fd >= 0 {
		unix.Close(w.fd)
	}
}

func (e *epoll) wake(w *Waker) error {
	if e.pipe != nil {
		return e.pipe.wake()
	}
	return signalEventfd(w.fd)
}

// wait collects events, and parks if there are none. A wait after one that parked is
// likely to park too, so it collects only as a part of parking.
func (e *epoll) wait(dst []Event, timeout time.Duration) (int, error) {
	if !e.armed || timeout == 0 {
		if n, err := e.collect(dst); n > 0 || err != nil || timeout == 0 {
			e.disarmIfBusy(n)
			return n, err
		}
	}
	e.deadline = never
	if timeout > 0 {
		if now := time.Since(e.start); timeout < never-now {
			e.deadline = now + timeout
		}
	}
	e.dst, e.n, e.err, e.tries = dst, 0, nil, 0
	if err := e.park.Read(e.tryRead); err != nil {
		e.err = ErrClosed // only interrupt sets a deadline
	}
	e.dst = nil
	if e.tries == 1 {
		e.disarmIfBusy(e.n)
	}
	return e.n, e.err
}

// disarmIfBusy disarms middle after a wait that found n events without parking, as events
// come faster than they are handled.
func (e *epoll) disarmIfBusy(n int) {
	if n > 0 && e.armed {
		e.arm(0)
	}
}

// tryCollect collects events and reports whether the current wait is over; if not, the
// goroutine parks. The runtime clears its note of earlier readiness before the first call
// only, so readiness that comes after a call which found nothing ends the park.
func (e *epoll) tryCollect(uintptr) bool {
	e.tries++
	if !e.armed {
		if e.err = e.arm(unix.EPOLLIN); e.err != nil {
			return true
		}
	}
	// Arm first, then collect: at the arming, the kernel reports existing readiness only
	// if users is not on the ready list of middle since an earlier event.
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

// arm makes middle pass on the readiness of users, or stops that if events is 0.
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

// collect stores events in dst without waiting.
func (e *epoll) collect(dst []Event) (int, error) {
	if e.pipe == nil {
		n, err := e.fetch(dst)
		if n > 0 {
			for _, w := range e.wakers.all() {
				w.clearPending()
			}
		}
		return n, err
	}
	n := 0
	if e.wakersFirst = !e.wakersFirst; e.wakersFirst {
		n = e.collectWakers(dst)
	}
	got, err := e.fetch(dst[n:])
	n += got
	if !e.wakersFirst {
		n += e.collectWakers(dst[n:])
	}
	return n, err
}

// collectWakers stores the events of the wakers that use the pipe.
func (e *epoll) collectWakers(dst []Event) int {
	e.pipe.drain() // first: a wake after this writes to the pipe again
	n, more := e.wakers.collect(dst)
	if more {
		e.pipe.wake()
	}
	return n
}

// fetch calls epoll_wait on users without a timeout. The system call is raw: it cannot
// block, so the scheduler need not know about it.
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

// control calls epoll_ctl with the token as event data: its low half in Fd, its high half
// in Pad.
func control(epoll, op, fd int, t Token, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(uint32(t)), Pad: int32(uint32(t >> 32))}
	return unix.EpollCtl(epoll, op, fd, &ev)
}

// epoll returns i in the bits of the kernel.
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

// readyOf converts the kernel's bits, which are the same for epoll and poll(2).
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

// signalEventfd adds one to an eventfd. If its counter is full, after 2⁶⁴-2 wakes, it is
// reset first. The system calls are raw, as they cannot block.
func signalEventfd(fd int) error {
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
