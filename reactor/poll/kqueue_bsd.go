//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poll

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bsdKqueue is the kernel of a kqueue. Its calls go through package unix, as on
// darwin and openbsd only libc may make system calls.
type bsdKqueue struct {
	fd      int
	changes []kevent // one caller at a time: kqueue holds its lock
	events  []kevent // wait's own
	timeout unix.Timespec
}

// kevent is the memory of a unix.Kevent_t. The type of that has a pointer on most
// platforms, where the garbage collector would find generations for addresses.
type kevent [unsafe.Sizeof(unix.Kevent_t{}) / unsafe.Sizeof(uintptr(0))]uintptr

// A kevent is all of a Kevent_t, or this does not compile.
var _ [unsafe.Sizeof(unix.Kevent_t{})]byte = [unsafe.Sizeof(kevent{})]byte{}

// The flags have these bits on every platform, or this does not compile.
var _ [0]int = [evAdd ^ unix.EV_ADD | evDelete ^ unix.EV_DELETE | evEnable ^ unix.EV_ENABLE |
	evClear ^ unix.EV_CLEAR | evError ^ unix.EV_ERROR | evEOF ^ unix.EV_EOF]int{}

// native is es as the kernel's package takes them, for the length of a call.
func native(es []kevent) []unix.Kevent_t {
	return unsafe.Slice((*unix.Kevent_t)(unsafe.Pointer(unsafe.SliceData(es))), len(es))
}

// udata is the word that the kernel hands back.
func (e *kevent) udata() *uintptr {
	return (*uintptr)(unsafe.Add(unsafe.Pointer(e), unsafe.Offsetof(unix.Kevent_t{}.Udata)))
}

// maxTimeout is what every kernel takes: darwin refuses much longer ones.
const maxTimeout = 1e6 * time.Second

func newKqueue(ws *wakers) (backend, error) { return newKqueueOver(ws, new(bsdKqueue)) }

func (k *bsdKqueue) kqueue() (err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if k.fd, err = unix.Kqueue(); err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(k.fd)
	return nil
}

func (k *bsdKqueue) close() error { return unix.Close(k.fd) }

func (k *bsdKqueue) has(f filter) bool { return numbers[f] != absent }

// pipe counts names, of which a pipe has none on any of these systems and a FIFO has
// one.
func (k *bsdKqueue) pipe(fd int) bool {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return err == nil && uint32(st.Mode)&unix.S_IFMT == unix.S_IFIFO && st.Nlink == 0
}

func (k *bsdKqueue) change(changes []knote) error {
	k.changes = k.changes[:0]
	for i := range changes {
		k.changes = append(k.changes, kevent{})
		k.changes[i].set(&changes[i])
	}
	_, err := unix.Kevent(k.fd, native(k.changes), nil, nil)
	return err
}

func (k *bsdKqueue) wait(events []knote, timeout time.Duration) (int, error) {
	if len(events) > len(k.events) {
		k.events = make([]kevent, len(events))
	}
	until := &k.timeout
	if timeout < 0 {
		until = nil
	} else {
		*until = unix.NsecToTimespec(min(timeout, maxTimeout).Nanoseconds())
	}
	n, err := unix.Kevent(k.fd, nil, native(k.events[:len(events)]), until)
	if err != nil {
		if err == unix.ETIMEDOUT { // darwin, now and then
			err = unix.EINTR
		}
		return 0, err
	}
	for i := range n {
		k.events[i].get(&events[i])
	}
	return n, nil
}

// absent is the number of a filter that the kernel does not have.
const absent = -1 << 15

// set makes e what the kernel is told by n.
func (e *kevent) set(n *knote) {
	k := &native(unsafe.Slice(e, 1))[0]
	unix.SetKevent(k, n.ident, numbers[n.filter], int(n.flags))
	if n.fflags&noteOOB != 0 {
		k.Fflags |= oob
	}
	if n.fflags&noteTrigger != 0 {
		k.Fflags |= trigger
	}
	*e.udata() = n.udata
}

// get makes n what the kernel tells by e.
func (e *kevent) get(n *knote) {
	k := &native(unsafe.Slice(e, 1))[0]
	*n = knote{ident: int(k.Ident), flags: uint16(k.Flags), fflags: k.Fflags, udata: *e.udata()}
	for f, number := range numbers {
		if int(int32(k.Filter)) == number {
			n.filter = filter(f)
		}
	}
	if n.filter == exceptFilter {
		n.fflags = 0
		if k.Fflags&oob != 0 {
			n.fflags = noteOOB
		}
	}
}
