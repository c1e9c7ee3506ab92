package osdriver

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
)

// Adopt duplicates a socket. It must not block, nor may what it is a duplicate of
// from here on: that is a property of both.
func (d *Driver) Adopt(of uintptr) (driver.Sock, error) {
	h, info, err := duplicate(windows.Handle(of))
	if errors.Is(err, windows.WSAENOTSOCK) {
		return 0, fmt.Errorf("%w: want a socket: %w", driver.ErrNotPollable, err)
	}
	if err != nil {
		return 0, err
	}
	n, flags := tcpStream, socketFlags(0)
	if info.SocketType == windows.SOCK_DGRAM {
		n = inetDatagram
	} else if on, err := windows.GetsockoptInt(h, windows.SOL_SOCKET, soAcceptConn); err == nil && on != 0 {
		n = listening
	}
	if info.AddressFamily == windows.AF_INET6 {
		flags = ipv6
	}
	return d.addSocket(h, n, flags)
}

// duplicate is another handle of a socket, and what that is.
func duplicate(of windows.Handle) (h windows.Handle, info windows.WSAProtocolInfo, err error) {
	_, err = windows.GetsockoptInt(of, windows.SOL_SOCKET, soType)
	if err == windows.WSAEOPNOTSUPP { // every socket has a type; Wine answers this for a file at times
		err = windows.WSAENOTSOCK
	}
	if err != nil {
		return 0, info, portableError(err)
	}
	if err = windows.WSADuplicateSocket(of, windows.GetCurrentProcessId(), &info); err != nil {
		return 0, info, os.NewSyscallError("WSADuplicateSocket", portableError(err))
	}
	const told = -1 // by info: FROM_PROTOCOL_INFO
	if h, err = windows.WSASocket(told, told, told, &info, 0, windows.WSA_FLAG_OVERLAPPED); err != nil {
		return 0, info, os.NewSyscallError("WSASocket", portableError(err))
	}
	windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	return h, info, nil
}

// Release gives a socket out as a system call expects it: blocking, and tied to no
// completion port, as one adopted from package net is to Go's. net.FileConn takes it
// back.
func (d *Driver) Release(s driver.Sock) (uintptr, error) {
	h := d.sockets[s].fd
	if err := d.poller.Remove(int(h)); err != nil {
		return 0, err
	}
	d.drop(s)
	detachCompletionPort(h)
	return uintptr(h), setBlocking(h, true)
}

// untie frees a socket from its completion port, as package os does when it gives out a
// descriptor. Wine 8 cannot: the socket then is good for all but net.FileConn.
func detachCompletionPort(h windows.Handle) {
	var nothing struct{ port, key uintptr } // FILE_COMPLETION_INFORMATION
	windows.NtSetInformationFile(h, new(windows.IO_STATUS_BLOCK), (*byte)(unsafe.Pointer(&nothing)),
		uint32(unsafe.Sizeof(nothing)), windows.FileReplaceCompletionInformation)
}
