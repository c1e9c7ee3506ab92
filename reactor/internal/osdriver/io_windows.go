package osdriver

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Read, Write and Writev, and what their results prove. The package comment has that as a
// table.

func (d *Driver) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	e := &d.sockets[s]
	if len(b) == 0 {
		return 0, 0, nil
	}
	for {
		got, _, errno := syscall.SyscallN(recv.Addr(), uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(ioLen(b)), 0)
		n := int(int32(got))
		switch {
		case n > 0:
			raceWrite(b[:n])
			if n < ioLen(b) && e.typ == tcpStream {
				d.noteBlocked(e, poll.Readable) // the poller looks again: if there is more, the event comes at once
				return n, driver.ReadBlocked, nil
			}
			return n, 0, nil
		case n == 0:
			if e.typ == inetDatagram {
				return 0, 0, nil
			}
			return 0, driver.ReadEnded, nil
		case errno == windows.WSAEWOULDBLOCK:
			d.noteBlocked(e, poll.Readable)
			return 0, driver.ReadBlocked, nil
		case errno == windows.WSAESHUTDOWN:
			return 0, driver.ReadEnded, nil // Shutdown ended it
		case errno == windows.WSAEMSGSIZE && e.typ == inetDatagram:
			raceWrite(b)
			return ioLen(b), 0, nil // the rest is lost
		case e.typ != inetDatagram || !isDatagramError(errno):
			return 0, driver.BothEnded, portableError(errno)
		}
	}
}

func (d *Driver) Write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	e := &d.sockets[s]
	b = b[:ioLen(b)]
	raceRead(b)
	for {
		sent, _, errno := syscall.SyscallN(send.Addr(), uintptr(e.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
		n := int(int32(sent))
		if n >= 0 {
			return d.writeResult(s, n, len(b), 0)
		}
		if e.typ != inetDatagram || !isEarlierSendError(errno) {
			return d.writeResult(s, 0, len(b), errno)
		}
	}
}

func (d *Driver) Writev(s driver.Sock, v *driver.Vec) (int, driver.Flow, error) {
	e := &d.sockets[s]
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
	failed, _, errno := syscall.SyscallN(sendv.Addr(), uintptr(e.fd), uintptr(unsafe.Pointer(&bufs)), uintptr(count),
		uintptr(unsafe.Pointer(&n)), 0, 0, 0)
	if failed == 0 {
		errno = 0
	}
	return d.writeResult(s, int(n), total, errno)
}

// writeResult returns what a write of size bytes proves, of which the kernel took n: if
// not all, its buffer is full.
func (d *Driver) writeResult(s driver.Sock, n, size int, errno syscall.Errno) (int, driver.Flow, error) {
	e := &d.sockets[s]
	switch {
	case errno == windows.WSAEWOULDBLOCK:
		n = 0
	case isNoMemory(errno):
		d.scheduleRetry(s)
		return 0, driver.WriteBlocked, nil
	case errno != 0:
		return 0, driver.BothEnded, portableError(errno)
	}
	if n > 0 {
		e.lastWrite.note(d)
	}
	if n == size {
		return n, 0, nil
	}
	d.noteBlocked(e, poll.Writable)
	return n, driver.WriteBlocked, nil
}
