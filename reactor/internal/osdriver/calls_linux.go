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

// System calls of Linux, raw: see the package comment. Those on a description that other
// processes have, and can make block, are not raw if the call itself cannot ask not to
// block. The functions are those of calls_unix.go, where the comments are.

// tcpInterest is what a TCP connection is registered for at first. epoll has no event for
// room while there was room, so that Writable costs nothing.
const tcpInterest = poll.Readable | poll.Writable | poll.Priority

// scratch is empty: several buffers, and addresses, are passed to the kernel from the stack.
type scratch struct{}

// maxWritev bounds how many bytes one writev takes.
const maxWritev = maxIO

const nonblockCloexec = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

func newSocket(family, typ int) (int, error) { return unix.Socket(family, typ|nonblockCloexec, 0) }

func accept(e *socketEntry) (descriptor, syscall.Errno) {
	if e.flags&adopted != 0 {
		fd, _, errno := syscall.Syscall6(unix.SYS_ACCEPT4, uintptr(e.fd), 0, 0, nonblockCloexec, 0, 0)
		return descriptor(fd), errno
	}
	fd, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(e.fd), 0, 0, nonblockCloexec, 0, 0)
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

// sendQueueLen returns how many bytes the peer has not acknowledged.
func sendQueueLen(fd int) int {
	var n int32
	syscall.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	return int(n)
}

// recv has MSG_DONTWAIT because another process with an adopted socket may have set
// it to blocking mode.
func recv(e *socketEntry, b []byte) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), msgDontWait, 0, 0)
	return n, errno
}

func read(e *socketEntry, b []byte) (n uintptr, errno syscall.Errno) {
	if e.flags&adopted != 0 {
		n, _, errno = syscall.Syscall(unix.SYS_READ, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		return n, errno
	}
	n, _, errno = syscall.RawSyscall(unix.SYS_READ, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return n, errno
}

func send(e *socketEntry, b []byte) (n uintptr, errno syscall.Errno) {
	n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), msgNoSignal|msgDontWait, 0, 0)
	return n, errno
}

func write(e *socketEntry, b []byte) (n uintptr, errno syscall.Errno) {
	if e.flags&adopted != 0 {
		n, _, errno = syscall.Syscall(unix.SYS_WRITE, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		return n, errno
	}
	n, _, errno = syscall.RawSyscall(unix.SYS_WRITE, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return n, errno
}

func (*scratch) writev(e *socketEntry, bs [][]byte) (int, syscall.Errno) {
	var iov [driver.MaxVec]unix.Iovec
	for i, b := range bs {
		raceRead(b)
		iov[i].Base = unsafe.SliceData(b)
		iov[i].SetLen(len(b))
	}
	var n uintptr
	var errno syscall.Errno
	switch {
	case e.isSocket():
		msg := unix.Msghdr{Iov: &iov[0]}
		msg.SetIovlen(len(bs))
		n, _, errno = syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(e.fd), uintptr(unsafe.Pointer(&msg)), msgNoSignal|msgDontWait)
	case e.flags&adopted != 0:
		n, _, errno = syscall.Syscall(unix.SYS_WRITEV, uintptr(e.fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(bs)))
	default:
		n, _, errno = syscall.RawSyscall(unix.SYS_WRITEV, uintptr(e.fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(bs)))
	}
	runtime.KeepAlive(bs)
	return int(n), errno
}

func recvFrom(e *socketEntry, b []byte) (int, driver.Addr, syscall.Errno) {
	var sa syscall.RawSockaddrAny
	size := uint32(unsafe.Sizeof(sa))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		msgDontWait, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, driver.Addr{}, errno
	}
	return int(n), decodeAddr(&sa, size), 0
}

// decodeAddr returns the address of size bytes in sa, as that of a datagram socket.
func decodeAddr(sa *syscall.RawSockaddrAny, size uint32) driver.Addr {
	if sa.Addr.Family != syscall.AF_UNIX {
		return decodeInetAddr((*syscall.RawSockaddrInet6)(unsafe.Pointer(sa)))
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

func (*scratch) sendTo(e *socketEntry, b []byte, to netip.AddrPort) (int, syscall.Errno) {
	var sa syscall.RawSockaddrInet6
	size, errno := encodeInetAddr(e, &sa, to)
	if errno != 0 {
		return 0, errno
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		msgNoSignal|msgDontWait, uintptr(unsafe.Pointer(&sa)), size)
	return int(n), errno
}
