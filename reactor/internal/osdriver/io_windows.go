package osdriver

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The driver of Windows: sockets that do not block, under a poll.Poller that is told
// after each call that would have. Pipes, terminals and files it has no way to wait for.

// descriptor is a socket's handle.
type descriptor = windows.Handle

const noDescriptor = windows.InvalidHandle

func closeDescriptor(h descriptor) { windows.Closesocket(h) }

// osDriver is the operating system's Driver: Winsock has an event for whatever is
// refused, and its calls need no memory.
type Driver struct{ common }

func (d *Driver) Wait(dst []poll.Event, until int64) (int, error) { return d.wait(dst, until) }

// addSocket gives a socket that does not block yet a row.
func (d *Driver) addSocket(h windows.Handle, n nature, is marks) (driver.Sock, error) {
	if err := block(h, false); err != nil {
		windows.Closesocket(h)
		return 0, err
	}
	return d.add(h, n, is)
}

// Register asks for input. Output is asked for by whoever waits for it: a connection
// that is on its way, and the first call that would block.
func (d *Driver) Register(s driver.Sock, data driver.EventData) error {
	r := &d.rows[s]
	r.data, r.watch = data, poll.Readable|poll.Edge
	if r.is&dialling != 0 {
		r.watch |= poll.Writable
	}
	return d.poller.Register(int(r.fd), poll.Token(data), r.watch)
}

func (d *Driver) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	r := &d.rows[s]
	if len(b) == 0 {
		return 0, 0, nil
	}
	for {
		got, _, errno := syscall.SyscallN(recv.Addr(), uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(length(b)), 0)
		n := int(int32(got))
		switch {
		case n > 0:
			raceWrite(b[:n])
			if n < length(b) && r.nature == tcpStream {
				d.blocked(r, poll.Readable) // who is told at once if that is not so
				return n, driver.ReadBlocked, nil
			}
			return n, 0, nil
		case n == 0:
			if r.nature == inetDatagram {
				return 0, 0, nil
			}
			return 0, driver.ReadEnded, nil
		case errno == windows.WSAEWOULDBLOCK:
			d.blocked(r, poll.Readable)
			return 0, driver.ReadBlocked, nil
		case errno == windows.WSAESHUTDOWN:
			return 0, driver.ReadEnded, nil // by this side
		case errno == windows.WSAEMSGSIZE && r.nature == inetDatagram:
			raceWrite(b)
			return length(b), 0, nil // the rest of it is gone
		case r.nature != inetDatagram || !forgiven(errno):
			return 0, driver.BothEnded, portable(errno)
		}
	}
}

// forgiven tells whether an error is of a datagram that was sent: an ICMP message. It
// was told by being asked for, and is not the socket's end.
func forgiven(errno syscall.Errno) bool {
	switch errno {
	case windows.WSAECONNRESET, windows.WSAECONNREFUSED, windows.WSAENETRESET, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH:
		return true
	}
	return false
}

func (d *Driver) Write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	r := &d.rows[s]
	b = b[:length(b)]
	raceRead(b)
	for {
		sent, _, errno := syscall.SyscallN(send.Addr(), uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
		n := int(int32(sent))
		if n >= 0 {
			return d.wrote(r, n, len(b), 0)
		}
		if r.nature != inetDatagram || !earlier(errno) {
			return d.wrote(r, 0, len(b), errno)
		}
	}
}

// earlier tells whether a send failed with the answer to an earlier datagram, which is
// told once. That a network or host can't be reached is this one's, each time.
func earlier(errno syscall.Errno) bool {
	return errno == windows.WSAECONNRESET || errno == windows.WSAENETRESET || errno == windows.WSAECONNREFUSED
}

func (d *Driver) Writev(s driver.Sock, v *driver.Vec) (int, driver.Flow, error) {
	r := &d.rows[s]
	var bufs [driver.MaxVec]windows.WSABuf
	total := 0
	count := 0
	for ; count < v.N && total+len(v.B[count]) <= maxIO; count++ {
		b := v.B[count]
		raceRead(b)
		bufs[count] = windows.WSABuf{Len: uint32(len(b)), Buf: unsafe.SliceData(b)}
		total += len(b)
	}
	if count == 0 {
		return d.Write(s, v.B[0])
	}
	var n uint32
	failed, _, errno := syscall.SyscallN(sendv.Addr(), uintptr(r.fd), uintptr(unsafe.Pointer(&bufs)), uintptr(count),
		uintptr(unsafe.Pointer(&n)), 0, 0, 0)
	if failed == 0 {
		errno = 0
	}
	return d.wrote(r, int(n), total, errno)
}

// wrote is what a write of size bytes taught: one that was cut short met a full
// buffer.
func (d *Driver) wrote(r *row, n, size int, errno syscall.Errno) (int, driver.Flow, error) {
	switch {
	case errno == windows.WSAEWOULDBLOCK:
		n = 0
	case errno != 0:
		return 0, driver.BothEnded, portable(errno)
	}
	if n > 0 {
		r.wrote.note(d)
	}
	if n == size {
		return n, 0, nil
	}
	d.blocked(r, poll.Writable)
	return n, driver.WriteBlocked, nil
}

func (d *Driver) Shutdown(s driver.Sock, how driver.How) error {
	// SD_RECEIVE, SD_SEND and SD_BOTH are 0, 1 and 2: one less than How's bits.
	if err := windows.Shutdown(d.rows[s].fd, int(how)-1); err != windows.WSAENOTCONN {
		return portable(err)
	}
	return nil
}

func (d *Driver) Close(s driver.Sock) error {
	r := d.rows[s]
	d.drop(s)
	if r.data != 0 {
		d.poller.Remove(int(r.fd))
	}
	return windows.Closesocket(r.fd)
}

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
	n, is := tcpStream, marks(0)
	if info.SocketType == windows.SOCK_DGRAM {
		n = inetDatagram
	} else if on, err := windows.GetsockoptInt(h, windows.SOL_SOCKET, soAcceptConn); err == nil && on != 0 {
		n = listening
	}
	if info.AddressFamily == windows.AF_INET6 {
		is = six
	}
	return d.addSocket(h, n, is)
}

// duplicate is another handle of a socket, and what that is.
func duplicate(of windows.Handle) (h windows.Handle, info windows.WSAProtocolInfo, err error) {
	_, err = windows.GetsockoptInt(of, windows.SOL_SOCKET, soType)
	if err == windows.WSAEOPNOTSUPP { // every socket has a type; Wine answers this for a file at times
		err = windows.WSAENOTSOCK
	}
	if err != nil {
		return 0, info, portable(err)
	}
	if err = windows.WSADuplicateSocket(of, windows.GetCurrentProcessId(), &info); err != nil {
		return 0, info, os.NewSyscallError("WSADuplicateSocket", portable(err))
	}
	const told = -1 // by info: FROM_PROTOCOL_INFO
	if h, err = windows.WSASocket(told, told, told, &info, 0, windows.WSA_FLAG_OVERLAPPED); err != nil {
		return 0, info, os.NewSyscallError("WSASocket", portable(err))
	}
	windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	return h, info, nil
}

// Release gives a socket out as a system call expects it: blocking, and tied to no
// completion port, as one adopted from package net is to Go's. net.FileConn takes it
// back.
func (d *Driver) Release(s driver.Sock) (uintptr, error) {
	h := d.rows[s].fd
	if err := d.poller.Remove(int(h)); err != nil {
		return 0, err
	}
	d.drop(s)
	untie(h)
	return uintptr(h), block(h, true)
}

// untie frees a socket from its completion port, as package os does when it gives out a
// descriptor. Wine 8 cannot: the socket then is good for all but net.FileConn.
func untie(h windows.Handle) {
	var nothing struct{ port, key uintptr } // FILE_COMPLETION_INFORMATION
	windows.NtSetInformationFile(h, new(windows.IO_STATUS_BLOCK), (*byte)(unsafe.Pointer(&nothing)),
		uint32(unsafe.Sizeof(nothing)), windows.FileReplaceCompletionInformation)
}
