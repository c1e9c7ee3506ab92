//go:build unix

package osdriver

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The driver of every Unix: descriptors that do not block, under an edge-triggered
// poll.Poller. What is asked of the kernel, and what its answers mean.

// maxIO bounds how much one call copies: a raw one, as Linux's are, does not tell the
// scheduler, so none may take long.
const maxIO = 256 << 10

// descriptor is a file's number.
type descriptor int32

const noDescriptor descriptor = -1

func closeDescriptor(fd descriptor) { unix.Close(int(fd)) }

// osDriver is the operating system's Driver.
type Driver struct {
	base
	retries retryQueue
	scratch scratch
}

// isSocket tells whether it is one with bytes or messages in it.
func (e *socketEntry) isSocket() bool { return e.typ <= unixDatagram }

func (d *Driver) Wait(dst []poll.Event, until int64) (int, error) {
	retried := 0
	if len(d.retries.sockets) > 0 {
		if retried = d.collectRetries(dst); retried == len(dst) {
			return retried, nil
		}
		if until = min(until, d.retries.dueAt); retried > 0 {
			until = 0
		}
	}
	n, err := d.pollUntil(dst[retried:], until)
	return retried + n, err
}

// interest is how each nature is registered. Where the row for OUT is empty, a
// first would-block adds it: most such descriptors never see one.
var initialInterest = [...]poll.Interest{
	tcpStream:    watchTCP | poll.Edge,
	unixStream:   poll.Readable | poll.Edge,
	unixPacket:   poll.Readable | poll.Edge,
	inetDatagram: poll.Readable | poll.Edge,
	unixDatagram: poll.Readable | poll.Edge,
	listening:    poll.Readable | poll.Edge,
	pipeIn:       poll.Readable | poll.Edge,
	pipeOut:      poll.Writable | poll.Edge,
	pipeBoth:     poll.Readable | poll.Writable | poll.Edge,
	fifo:         poll.Readable | poll.Writable | poll.Edge,
	device:       poll.Readable | poll.Edge,
}

func (d *Driver) Register(s driver.Sock, data driver.EventData) error {
	e := &d.sockets[s]
	e.data, e.interest = data, initialInterest[e.typ]
	if e.flags&connecting != 0 {
		e.interest |= poll.Writable
	}
	if e.flags&awaitsReconnect != 0 {
		d.scheduleRetry(s)
	}
	return wrapNotPollable(d.poller.Register(int(e.fd), poll.Token(data), e.interest))
}

func wrapNotPollable(err error) error {
	if errors.Is(err, poll.ErrNotPollable) {
		return fmt.Errorf("%w: %w", driver.ErrNotPollable, err)
	}
	return err
}

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

// forgives tells whether an error is of a datagram that was sent: an ICMP message, or
// a peer that is gone. It was told by being asked for, and is not the socket's end.
func (e *socketEntry) isDatagramError(errno syscall.Errno) bool {
	if e.typ != inetDatagram && e.typ != unixDatagram {
		return false
	}
	switch errno {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN, enonet,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPROTO, syscall.EMSGSIZE, syscall.EACCES, syscall.ECONNRESET:
		return true
	}
	return false
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

func (d *Driver) Shutdown(s driver.Sock, how driver.How) error {
	e := &d.sockets[s]
	if e.typ > listening {
		switch {
		case how&driver.ShutWrite == 0 || e.fd == noDescriptor:
		case e.typ == pipeBoth:
			d.scheduleRetry(s) // no event tells the reader that this is its end, too
			return d.closePipe(e)
		case e.typ == pipeOut:
			return d.closePipe(e)
		}
		return nil // a terminal has no half to close
	}
	// SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2: one less than How's bits.
	if err := unix.Shutdown(int(e.fd), int(how)-1); err != unix.ENOTCONN {
		return err
	}
	return nil
}

// closePipe ends a pipe's direction in the only way that there is. The row stays,
// without a descriptor.
func (d *Driver) closePipe(e *socketEntry) error {
	d.poller.Remove(int(e.fd))
	e.restoreBlocking()
	err := unix.Close(int(e.fd))
	e.fd = noDescriptor
	return err
}

func (d *Driver) Close(s driver.Sock) error {
	e := d.sockets[s]
	d.forget(s)
	if e.fd == noDescriptor {
		return nil // closePipe was here
	}
	e.restoreBlocking()
	own := e.typ <= listening && e.flags&adopted == 0 // what was adopted has its options, and its path, from somebody else
	if !own || !d.edgeTriggered {
		// Whatever has the same description, a parent's terminal say, must not keep it
		// registered; nor may a backend that keeps a table: many a kernel's fstat cannot tell
		// the next socket of the number from this one.
		d.poller.Remove(int(e.fd))
	}
	if !own {
		return unix.Close(int(e.fd)) // may block: a terminal drains, SO_LINGER may be set
	}
	if e.typ == listening {
		unlinkPath(e.fd)
	}
	return closeSocket(e.fd)
}
