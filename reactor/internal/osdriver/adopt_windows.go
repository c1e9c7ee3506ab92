package osdriver

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
)

// Sockets from elsewhere, and for elsewhere: Adopt and Release.

// Adopt duplicates a socket and sets it to non-blocking mode, which is a property of the
// duplicate and the original.
func (d *Driver) Adopt(from uintptr) (driver.Sock, error) {
	h, info, err := duplicate(windows.Handle(from))
	if errors.Is(err, windows.WSAENOTSOCK) {
		return 0, fmt.Errorf("%w: want a socket: %w", driver.ErrNotPollable, err)
	}
	if err != nil {
		return 0, err
	}
	typ, flags := tcpStream, socketFlags(0)
	if info.SocketType == windows.SOCK_DGRAM {
		typ = inetDatagram
	} else if on, err := windows.GetsockoptInt(h, windows.SOL_SOCKET, soAcceptConn); err == nil && on != 0 {
		typ = listening
	}
	if info.AddressFamily == windows.AF_INET6 {
		flags = ipv6
	}
	return d.addSocket(h, typ, flags)
}

// duplicate returns another handle of a socket, and what it stands for.
func duplicate(of windows.Handle) (h windows.Handle, info windows.WSAProtocolInfo, err error) {
	_, err = windows.GetsockoptInt(of, windows.SOL_SOCKET, soType)
	if err == windows.WSAEOPNOTSUPP { // every socket has a type: Wine sometimes returns this for a file
		err = windows.WSAENOTSOCK
	}
	if err != nil {
		return 0, info, portableError(err)
	}
	if err = windows.WSADuplicateSocket(of, windows.GetCurrentProcessId(), &info); err != nil {
		return 0, info, os.NewSyscallError("WSADuplicateSocket", portableError(err))
	}
	const fromProtocolInfo = -1 // FROM_PROTOCOL_INFO: as info says
	if h, err = windows.WSASocket(fromProtocolInfo, fromProtocolInfo, fromProtocolInfo, &info, 0, windows.WSA_FLAG_OVERLAPPED); err != nil {
		return 0, info, os.NewSyscallError("WSASocket", portableError(err))
	}
	windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	return h, info, nil
}

// Release sets the socket to blocking mode, as system calls expect, and detaches it from
// its completion port: one that was adopted from package net belongs to Go's. Then
// net.FileConn accepts it.
func (d *Driver) Release(s driver.Sock) (uintptr, error) {
	h := d.sockets[s].fd
	if err := d.poller.Remove(int(h)); err != nil {
		return 0, err
	}
	delete(d.keepAlives, s)
	d.drop(s)
	detachCompletionPort(h)
	return uintptr(h), setBlocking(h, true)
}

// detachCompletionPort detaches a socket from its completion port, as package os does when
// it gives out a descriptor. Wine 8 cannot do it: net.FileConn fails on the socket then.
func detachCompletionPort(h windows.Handle) {
	var none struct{ port, key uintptr } // FILE_COMPLETION_INFORMATION
	windows.NtSetInformationFile(h, new(windows.IO_STATUS_BLOCK), (*byte)(unsafe.Pointer(&none)),
		uint32(unsafe.Sizeof(none)), windows.FileReplaceCompletionInformation)
}
