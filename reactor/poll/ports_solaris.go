package poll

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of event ports, which only libc has. Package unix wraps them in a type that
// allocates for each association and each event, and it has no port_send.

//go:cgo_import_dynamic libc_port_create port_create "libc.so"
//go:cgo_import_dynamic libc_port_associate port_associate "libc.so"
//go:cgo_import_dynamic libc_port_dissociate port_dissociate "libc.so"
//go:cgo_import_dynamic libc_port_getn port_getn "libc.so"
//go:cgo_import_dynamic libc_port_send port_send "libc.so"

//go:linkname portCreate libc_port_create
//go:linkname portAssociate libc_port_associate
//go:linkname portDissociate libc_port_dissociate
//go:linkname portGetn libc_port_getn
//go:linkname portSend libc_port_send

var portCreate, portAssociate, portDissociate, portGetn, portSend uintptr // addresses in libc

// sysvicall6 calls libc like package syscall; see the .s file.
func sysvicall6(function, count, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err syscall.Errno)

// call calls a function of libc. None of those used here has more than five arguments.
func call(function *uintptr, count int, a1, a2, a3, a4, a5 uintptr) (uintptr, error) {
	r, _, errno := sysvicall6(uintptr(unsafe.Pointer(function)), uintptr(count), a1, a2, a3, a4, a5, 0)
	switch {
	case errno == 0:
		return r, nil
	case errno == unix.EBADFD:
		return r, unix.EBADF // as returned by other system calls
	}
	return r, errno
}

// solarisPort calls the kernel.
type solarisPort struct {
	fd      int
	timeout unix.Timespec
	count   uint32
	events  []nativePortEvent // used by get only
}

// nativePortEvent is struct port_event.
type nativePortEvent struct {
	events int32
	source uint16
	_      uint16
	object uintptr
	user   uintptr
}

func newPorts(ws *wakers) (backend, error) { return newPortsOver(ws, new(solarisPort)) }

func (p *solarisPort) create() error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := call(&portCreate, 0, 0, 0, 0, 0, 0)
	if err != nil {
		return os.NewSyscallError("port_create", err)
	}
	p.fd = int(fd)
	unix.CloseOnExec(p.fd)
	return nil
}

func (p *solarisPort) close() error { return unix.Close(p.fd) }

func (p *solarisPort) associate(fd, bits int, udata uintptr) error {
	_, err := call(&portAssociate, 5, uintptr(p.fd), unix.PORT_SOURCE_FD, uintptr(fd), uintptr(bits), udata)
	return err
}

func (p *solarisPort) dissociate(fd int) error {
	_, err := call(&portDissociate, 3, uintptr(p.fd), unix.PORT_SOURCE_FD, uintptr(fd), 0, 0)
	return err
}

func (p *solarisPort) send() error {
	_, err := call(&portSend, 3, uintptr(p.fd), 0, 0, 0, 0)
	return err
}

// maxPortTimeout is a timeout that every kernel accepts.
const maxPortTimeout = 1e6 * time.Second

func (p *solarisPort) get(events []portEvent, timeout time.Duration) (int, error) {
	if len(events) > len(p.events) {
		p.events = make([]nativePortEvent, len(events))
	}
	var until *unix.Timespec
	if timeout >= 0 {
		p.timeout = unix.NsecToTimespec(min(timeout, maxPortTimeout).Nanoseconds())
		until = &p.timeout
	}
	p.count = 1 // the number to wait for; the call sets it to the number fetched
	p.events[0].source = 0
	_, err := call(&portGetn, 5, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(events)),
		uintptr(unsafe.Pointer(&p.count)), uintptr(unsafe.Pointer(until)))
	if err == unix.ETIME || err == unix.EINTR {
		// There may be events nevertheless. If there are none, count may be
		// unchanged, but then the first event is unchanged too.
		if p.events[0].source == 0 {
			p.count = 0
		}
		if p.count > 0 || err == unix.ETIME {
			err = nil
		}
	}
	if err != nil {
		return 0, err
	}
	n := min(int(p.count), len(events))
	for i := range n {
		ev := &p.events[i]
		events[i] = portEvent{int(ev.object), int(ev.events), ev.user}
		if ev.source != unix.PORT_SOURCE_FD {
			events[i] = portEvent{} // the packet; there are no other sources
		}
	}
	return n, nil
}
