//go:build !stator_plain

package osdriver

import (
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Linux's system calls, raw: what cannot block need not tell the scheduler. What each
// asks for is said in sys_plain.go's words.

// watchTCP is what a TCP connection is watched for from the first: with epoll an edge
// of room costs nothing while there was room.
const watchTCP = poll.Readable | poll.Writable | poll.Priority

// scratch need not be: buffers are given to the kernel as they lie.
type scratch struct{}

// maxGather is how much one call takes of several buffers.
const maxGather = maxIO

const sockFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

func newSocket(family, typ int) (int, error) { return unix.Socket(family, typ|sockFlags, 0) }

func acceptOn(r *row) (descriptor, syscall.Errno) {
	fd, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(r.fd), 0, 0, sockFlags, 0, 0)
	return descriptor(fd), errno
}

func noDelay(fd descriptor) syscall.Errno {
	one := int32(1)
	_, _, errno := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY,
		uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one), 0)
	return errno
}

func duplicate(fd uintptr) (int, error) { return unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }

func closeSocket(fd descriptor) error {
	if _, _, errno := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func sendQueue(fd int) int {
	var n int32
	syscall.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	return int(n)
}

// Whoever has a duplicate of a socket may have made it block, hence dontWait.
func receive(r *row, b []byte) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), dontWait, 0, 0)
	return n, errno
}

func read(r *row, b []byte) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.RawSyscall(unix.SYS_READ, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return n, errno
}

func transmit(r *row, b []byte) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), noSignal|dontWait, 0, 0)
	return n, errno
}

func write(r *row, b []byte) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.RawSyscall(unix.SYS_WRITE, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return n, errno
}

func (*scratch) transmitAll(r *row, bs [][]byte) (int, syscall.Errno) {
	var iov [driver.MaxVec]unix.Iovec
	for i, b := range bs {
		raceRead(b)
		iov[i].Base = unsafe.SliceData(b)
		iov[i].SetLen(len(b))
	}
	var n uintptr
	var errno syscall.Errno
	if r.isSocket() {
		msg := unix.Msghdr{Iov: &iov[0]}
		msg.SetIovlen(len(bs))
		n, _, errno = syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(r.fd), uintptr(unsafe.Pointer(&msg)), noSignal|dontWait)
	} else {
		n, _, errno = syscall.RawSyscall(unix.SYS_WRITEV, uintptr(r.fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(bs)))
	}
	runtime.KeepAlive(bs)
	return int(n), errno
}

func receiveFrom(r *row, b []byte) (int, driver.Addr, syscall.Errno) {
	var sa syscall.RawSockaddrAny
	size := uint32(unsafe.Sizeof(sa))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		dontWait, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, driver.Addr{}, errno
	}
	return int(n), rawAddr(&sa, size), 0
}

func rawAddr(sa *syscall.RawSockaddrAny, size uint32) driver.Addr {
	if sa.Addr.Family != syscall.AF_UNIX {
		return inetAddr((*syscall.RawSockaddrInet6)(unsafe.Pointer(sa)))
	}
	un := (*syscall.RawSockaddrUnix)(unsafe.Pointer(sa))
	path := make([]byte, 0, len(un.Path))
	for i := 0; i < int(size)-2 && i < len(un.Path); i++ {
		if c := byte(un.Path[i]); c != 0 {
			path = append(path, c)
		} else if i > 0 {
			break
		} else {
			path = append(path, '@')
		}
	}
	return driver.Addr{Net: driver.Unixgram, Path: string(path)}
}

func (*scratch) transmitTo(r *row, b []byte, to netip.AddrPort) (int, syscall.Errno) {
	var sa syscall.RawSockaddrInet6
	size, errno := encode(r, &sa, to)
	if errno != 0 {
		return 0, errno
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		noSignal|dontWait, uintptr(unsafe.Pointer(&sa)), size)
	return int(n), errno
}
