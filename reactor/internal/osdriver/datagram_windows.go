package osdriver

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

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
			return ioLen(b), decodeInetAddr(&sa), 0, nil // the rest of it is gone
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
		case !isEarlierSendError(errno):
			return 0, 0, portableError(errno)
		}
	}
}

// forgiven tells whether an error is of a datagram that was sent: an ICMP message. It
// was told by being asked for, and is not the socket's end.
func isDatagramError(errno syscall.Errno) bool {
	switch errno {
	case windows.WSAECONNRESET, windows.WSAECONNREFUSED, windows.WSAENETRESET, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH:
		return true
	}
	return false
}

// earlier tells whether a send failed with the answer to an earlier datagram, which is
// told once. That a network or host can't be reached is this one's, each time.
func isEarlierSendError(errno syscall.Errno) bool {
	return errno == windows.WSAECONNRESET || errno == windows.WSAENETRESET || errno == windows.WSAECONNREFUSED
}
