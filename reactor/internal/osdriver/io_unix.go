//go:build unix

package osdriver

import (
	"syscall"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The driver of every Unix: descriptors that do not block, under an edge-triggered
// poll.Poller. What is asked of the kernel, and what its answers mean.

// maxIO bounds how much one call copies: a raw one, as Linux's are, does not tell the
// scheduler, so none may take long.
const maxIO = 256 << 10

func (d *Driver) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	e := &d.sockets[s]
	most := len(b)
	switch {
	case most == 0:
		return 0, 0, nil
	case e.typ == pipeOut:
		return 0, driver.BothEnded, syscall.EPIPE // what looked readable is that its reader is gone
	}
	b = b[:min(most, maxIO)]
	for {
		var got uintptr
		var errno syscall.Errno
		if e.isSocket() { // read(2) of one goes the longer way through the file system
			got, errno = recv(e, b)
		} else {
			e.ensureNonblocking()
			got, errno = read(e, b)
		}
		switch n := int(got); errno {
		case 0:
			raceWrite(b[:n])
			if n == 0 && e.flags&resetSeen != 0 {
				return 0, driver.BothEnded, syscall.ECONNRESET
			}
			if n == 0 && e.typ != inetDatagram && e.typ != unixDatagram {
				return 0, driver.ReadEnded, nil
			}
			if n < len(b) && n < most && e.typ == tcpStream && shortReadDrains {
				d.noteBlocked(e, poll.Readable)
				return n, driver.ReadBlocked, nil
			}
			return n, 0, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.noteBlocked(e, poll.Readable)
			return 0, driver.ReadBlocked, nil
		case syscall.EBADF:
			if e.fd == noDescriptor {
				return 0, driver.ReadEnded, nil // closePipe was here
			}
			return 0, driver.BothEnded, errno
		case syscall.EIO:
			if e.typ == device {
				return 0, driver.ReadEnded, nil // the terminal's other end is gone
			}
			return 0, driver.BothEnded, errno
		default:
			if errno == syscall.ECONNRESET && e.typ == unixPacket && e.flags&resetSeen == 0 {
				e.flags |= resetSeen // it was told by that: what comes now is what the peer sent before
				continue
			}
			if !e.isDatagramError(errno) {
				return 0, driver.BothEnded, errno
			}
		}
	}
}

func (d *Driver) Write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	e := &d.sockets[s]
	b = b[:min(len(b), maxIO)]
	raceRead(b)
	for {
		var sent uintptr
		var errno syscall.Errno
		if e.isSocket() { // where a peer that is gone shall not be a signal
			sent, errno = send(e, b)
		} else {
			e.ensureNonblocking()
			sent, errno = write(e, b)
		}
		switch n := int(sent); {
		case errno == 0 && n == len(b):
			e.lastWrite.note(d)
			return len(b), 0, nil
		case errno == syscall.EINTR, errno == syscall.ECONNREFUSED && e.typ == inetDatagram: // the answer to an earlier datagram
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

// wrote is what a write of size bytes taught: one that was cut short met a full
// buffer.
func (d *Driver) writeResult(s driver.Sock, n, size int, errno syscall.Errno) (int, driver.Flow, error) {
	switch {
	case errno == syscall.EAGAIN:
		n = 0
	case errno == syscall.ENOBUFS && d.Traits(s)&driver.Datagram != 0:
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
