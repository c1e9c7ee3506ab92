//go:build unix

package osdriver

import (
	"syscall"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Read, Write and Writev, and what their results prove. The package comment has that as a
// table.

// maxIO bounds how many bytes one call moves: the garbage collector has to wait for a raw
// call, as Linux's are.
const maxIO = 256 << 10

const enobufs = syscall.ENOBUFS

func (d *Driver) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	e := &d.sockets[s]
	asked := len(b)
	switch {
	case asked == 0:
		return 0, 0, nil
	case e.typ == pipeOut:
		return 0, driver.BothEnded, syscall.EPIPE // it is readable because its reader is gone
	}
	b = b[:min(asked, maxIO)]
	for {
		var got uintptr
		var errno syscall.Errno
		if e.isSocket() { // recv(2) is faster than read(2), which goes through the file system
			got, errno = recv(e, b)
		} else {
			e.ensureNonblocking()
			got, errno = read(e, b)
		}
		if errno != 0 {
			if flow, again, err := d.readError(e, errno); !again {
				return 0, flow, err
			}
			continue
		}
		n := int(got)
		raceWrite(b[:n])
		switch {
		case n == 0 && e.flags&resetSeen != 0:
			return 0, driver.BothEnded, syscall.ECONNRESET
		case n == 0 && e.typ != inetDatagram && e.typ != unixDatagram:
			return 0, driver.ReadEnded, nil
		case n < len(b) && e.typ == tcpStream && shortReadDrains:
			d.noteBlocked(e, poll.Readable)
			return n, driver.ReadBlocked, nil
		}
		return n, 0, nil
	}
}

// readError returns what an error of a read proves, or that the read has to be made again.
func (d *Driver) readError(e *socketEntry, errno syscall.Errno) (flow driver.Flow, again bool, err error) {
	switch {
	case errno == syscall.EINTR:
		return 0, true, nil
	case errno == syscall.EAGAIN:
		d.noteBlocked(e, poll.Readable)
		return driver.ReadBlocked, false, nil
	case errno == syscall.EBADF && e.fd == noDescriptor:
		return driver.ReadEnded, false, nil // closePipe closed it
	case errno == syscall.EIO && e.typ == device:
		return driver.ReadEnded, false, nil // the terminal's other end is gone
	case errno == syscall.ECONNRESET && e.typ == unixPacket && e.flags&resetSeen == 0:
		// The kernel returns the reset before the messages that were sent before it. They
		// come first; then Read returns the reset.
		e.flags |= resetSeen
		return 0, true, nil
	case e.isDatagramError(errno):
		return 0, true, nil
	}
	return driver.BothEnded, false, errno
}

func (d *Driver) Write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	e := &d.sockets[s]
	b = b[:min(len(b), maxIO)]
	raceRead(b)
	for {
		var sent uintptr
		var errno syscall.Errno
		if e.isSocket() { // a peer that is gone must not be a SIGPIPE
			sent, errno = send(e, b)
		} else {
			e.ensureNonblocking()
			sent, errno = write(e, b)
		}
		switch n := int(sent); {
		case errno == 0 && n == len(b):
			e.lastWrite.note(d)
			return len(b), 0, nil
		case errno == syscall.EINTR, errno == syscall.ECONNREFUSED && e.typ == inetDatagram: // of an earlier datagram
		default:
			return d.writeResult(s, n, len(b), errno)
		}
	}
}

func (d *Driver) Writev(s driver.Sock, v *driver.Vec) (int, driver.Flow, error) {
	e := &d.sockets[s]
	n, total := 0, 0
	for ; n < v.N && total+len(v.B[n]) <= maxWritev; n++ {
		total += len(v.B[n])
	}
	if n <= 1 {
		return d.Write(s, v.B[0])
	}
	if !e.isSocket() {
		e.ensureNonblocking()
	}
	for {
		sent, errno := d.scratch.writev(e, v.B[:n])
		if errno != syscall.EINTR {
			return d.writeResult(s, sent, total, errno)
		}
	}
}

// writeResult returns what a write of size bytes proves, of which the kernel took n: if
// not all, its buffer is full.
func (d *Driver) writeResult(s driver.Sock, n, size int, errno syscall.Errno) (int, driver.Flow, error) {
	switch {
	case errno == syscall.EAGAIN:
		n = 0
	case isNoMemory(errno):
		d.scheduleRetry(s)
		return 0, driver.WriteBlocked, nil
	case errno != 0:
		return 0, driver.BothEnded, errno
	case n > 0:
		if d.sockets[s].lastWrite.note(d); n == size {
			return n, 0, nil
		}
	case size == 0:
		return 0, 0, nil
	}
	d.noteBlocked(&d.sockets[s], poll.Writable)
	return n, driver.WriteBlocked, nil
}
