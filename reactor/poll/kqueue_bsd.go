//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poll

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bsdKqueue calls the kernel. It uses package unix, as only libc may make system calls on
// darwin and openbsd.
type bsdKqueue struct {
	fd      int
	changes []kevent // guarded by kqueue's lock
	events  []kevent // used by wait only
	timeout unix.Timespec
}

// kevent is the memory of a unix.Kevent_t. That type has a pointer on most platforms, so
// the garbage collector would treat generations as addresses.
type kevent [unsafe.Sizeof(unix.Kevent_t{}) / unsafe.Sizeof(uintptr(0))]uintptr

// This does not compile unless a kevent has the size of a Kevent_t.
var _ [unsafe.Sizeof(unix.Kevent_t{})]byte = [unsafe.Sizeof(kevent{})]byte{}

// This does not compile unless the flags have the same bits as in kqueue_unix.go.
var _ [0]int = [evAdd ^ unix.EV_ADD | evDelete ^ unix.EV_DELETE | evEnable ^ unix.EV_ENABLE |
	evClear ^ unix.EV_CLEAR | evError ^ unix.EV_ERROR | evEOF ^ unix.EV_EOF]int{}

// native converts es for the duration of a call.
func native(es []kevent) []unix.Kevent_t {
	return unsafe.Slice((*unix.Kevent_t)(unsafe.Pointer(unsafe.SliceData(es))), len(es))
}

// udata returns the address of the user data.
func (e *kevent) udata() *uintptr {
	return (*uintptr)(unsafe.Add(unsafe.Pointer(e), unsafe.Offsetof(unix.Kevent_t{}.Udata)))
}

// maxTimeout is a timeout that every kernel accepts; darwin refuses much longer ones.
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

// pipe checks the number of names: on all of these systems a pipe has none, and a FIFO has
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
		if err == unix.ETIMEDOUT { // returned by darwin at times
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

// set converts n for the kernel.
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

// get converts e from the kernel.
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
