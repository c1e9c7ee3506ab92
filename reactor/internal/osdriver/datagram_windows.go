package osdriver

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Datagrams, each with the address of its sender or receiver.

func (d *Driver) Recv(s driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	e := &d.sockets[s]
	var sa syscall.RawSockaddrInet6
	for {
		size := int32(unsafe.Sizeof(sa))
		got, _, errno := syscall.SyscallN(recvfrom.Addr(), uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(ioLen(b)), 0,
			uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		n := int(int32(got))
		switch {
		case n >= 0:
			raceWrite(b[:n])
			return n, decodeInetAddr(&sa), 0, nil
		case errno == windows.WSAEMSGSIZE:
			raceWrite(b)
			return ioLen(b), decodeInetAddr(&sa), 0, nil // the rest is lost
		case errno == windows.WSAEWOULDBLOCK:
			d.noteBlocked(e, poll.Readable)
			return 0, driver.Addr{}, driver.ReadBlocked, nil
		case !isDatagramError(errno):
			return 0, driver.Addr{}, driver.BothEnded, portableError(errno)
		}
	}
}

func (d *Driver) Send(s driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	e := &d.sockets[s]
	var sa syscall.RawSockaddrInet6
	size, errno := encodeInetAddr(e, &sa, to.IP)
	if errno != 0 {
		return 0, 0, errno
	}
	raceRead(b)
	for {
		sent, _, errno := syscall.SyscallN(sendto.Addr(), uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(ioLen(b)), 0,
			uintptr(unsafe.Pointer(&sa)), size)
		switch n := int(int32(sent)); {
		case n >= 0:
			return n, 0, nil
		case errno == windows.WSAEWOULDBLOCK:
			d.noteBlocked(e, poll.Writable)
			return 0, driver.WriteBlocked, nil
		case isNoMemory(errno):
			d.scheduleRetry(s)
			return 0, driver.WriteBlocked, nil
		case !isEarlierSendError(errno):
			return 0, 0, portableError(errno)
		}
	}
}

// isDatagramError reports whether the error of a read is that of a datagram which was sent
// earlier: an ICMP message. The call that returned it has cleared it. The socket goes on.
func isDatagramError(errno syscall.Errno) bool {
	switch errno {
	case windows.WSAECONNRESET, windows.WSAECONNREFUSED, windows.WSAENETRESET, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH:
		return true
	}
	return false
}

// isEarlierSendError reports whether the error of a send is that of an earlier datagram: it
// is returned once. That a network or host can't be reached is this datagram's, each time.
func isEarlierSendError(errno syscall.Errno) bool {
	return errno == windows.WSAECONNRESET || errno == windows.WSAENETRESET || errno == windows.WSAECONNREFUSED
}
