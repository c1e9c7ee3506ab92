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
	common
	retries retries
	scratch scratch
}

// isSocket tells whether it is one with bytes or messages in it.
func (r *row) isSocket() bool { return r.nature <= unixDatagram }

func (d *Driver) Wait(dst []poll.Event, until int64) (int, error) {
	told := 0
	if len(d.retries.socks) > 0 {
		if told = d.retryNow(dst); told == len(dst) {
			return told, nil
		}
		if until = min(until, d.retries.at); told > 0 {
			until = 0
		}
	}
	n, err := d.wait(dst[told:], until)
	return told + n, err
}

// interest is how each nature is registered. Where the row for OUT is empty, a
// first would-block adds it: most such descriptors never see one.
var interest = [...]poll.Interest{
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
	r := &d.rows[s]
	r.data, r.watch = data, interest[r.nature]
	if r.is&dialling != 0 {
		r.watch |= poll.Writable
	}
	if r.is&redials != 0 {
		d.retry(s)
	}
	return notPollable(d.poller.Register(int(r.fd), poll.Token(data), r.watch))
}

func notPollable(err error) error {
	if errors.Is(err, poll.ErrNotPollable) {
		return fmt.Errorf("%w: %w", driver.ErrNotPollable, err)
	}
	return err
}

func (d *Driver) Read(s driver.Sock, b []byte) (int, driver.Flow, error) {
	r := &d.rows[s]
	most := len(b)
	switch {
	case most == 0:
		return 0, 0, nil
	case r.nature == pipeOut:
		return 0, driver.BothEnded, syscall.EPIPE // what looked readable is that its reader is gone
	}
	b = b[:min(most, maxIO)]
	for {
		var got uintptr
		var errno syscall.Errno
		if r.isSocket() { // read(2) of one goes the longer way through the file system
			got, errno = receive(r, b)
		} else {
			r.unblock()
			got, errno = read(r, b)
		}
		switch n := int(got); errno {
		case 0:
			raceWrite(b[:n])
			if n == 0 && r.is&cut != 0 {
				return 0, driver.BothEnded, syscall.ECONNRESET
			}
			if n == 0 && r.nature != inetDatagram && r.nature != unixDatagram {
				return 0, driver.ReadEnded, nil
			}
			if n < len(b) && n < most && r.nature == tcpStream && shortIsDrained {
				d.blocked(r, poll.Readable)
				return n, driver.ReadBlocked, nil
			}
			return n, 0, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.blocked(r, poll.Readable)
			return 0, driver.ReadBlocked, nil
		case syscall.EBADF:
			if r.fd == noDescriptor {
				return 0, driver.ReadEnded, nil // closePipe was here
			}
			return 0, driver.BothEnded, errno
		case syscall.EIO:
			if r.nature == device {
				return 0, driver.ReadEnded, nil // the terminal's other end is gone
			}
			return 0, driver.BothEnded, errno
		default:
			if errno == syscall.ECONNRESET && r.nature == unixPacket && r.is&cut == 0 {
				r.is |= cut // it was told by that: what comes now is what the peer sent before
				continue
			}
			if !r.forgives(errno) {
				return 0, driver.BothEnded, errno
			}
		}
	}
}

// forgives tells whether an error is of a datagram that was sent: an ICMP message, or
// a peer that is gone. It was told by being asked for, and is not the socket's end.
func (r *row) forgives(errno syscall.Errno) bool {
	if r.nature != inetDatagram && r.nature != unixDatagram {
		return false
	}
	switch errno {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN, errNoNet,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPROTO, syscall.EMSGSIZE, syscall.EACCES, syscall.ECONNRESET:
		return true
	}
	return false
}

func (d *Driver) Write(s driver.Sock, b []byte) (int, driver.Flow, error) {
	r := &d.rows[s]
	b = b[:min(len(b), maxIO)]
	raceRead(b)
	for {
		var sent uintptr
		var errno syscall.Errno
		if r.isSocket() { // where a peer that is gone shall not be a signal
			sent, errno = transmit(r, b)
		} else {
			r.unblock()
			sent, errno = write(r, b)
		}
		switch n := int(sent); {
		case errno == 0 && n == len(b):
			r.wrote.note(d)
			return len(b), 0, nil
		case errno == syscall.EINTR, errno == syscall.ECONNREFUSED && r.nature == inetDatagram: // the answer to an earlier datagram
		default:
			return d.wrote(s, n, len(b), errno)
		}
	}
}

func (d *Driver) Writev(s driver.Sock, v *driver.Vec) (int, driver.Flow, error) {
	r := &d.rows[s]
	n, total := 0, 0
	for ; n < v.N && total+len(v.B[n]) <= maxGather; n++ {
		total += len(v.B[n])
	}
	if n <= 1 {
		return d.Write(s, v.B[0])
	}
	if !r.isSocket() {
		r.unblock()
	}
	for {
		sent, errno := d.scratch.transmitAll(r, v.B[:n])
		if errno != syscall.EINTR {
			return d.wrote(s, sent, total, errno)
		}
	}
}

// wrote is what a write of size bytes taught: one that was cut short met a full
// buffer.
func (d *Driver) wrote(s driver.Sock, n, size int, errno syscall.Errno) (int, driver.Flow, error) {
	switch {
	case errno == syscall.EAGAIN:
		n = 0
	case errno == syscall.ENOBUFS && d.Traits(s)&driver.Datagram != 0:
		d.retry(s)
		return 0, driver.WriteBlocked, nil
	case errno != 0:
		return 0, driver.BothEnded, errno
	case n > 0:
		if d.rows[s].wrote.note(d); n == size {
			return n, 0, nil
		}
	case size == 0:
		return 0, 0, nil
	}
	d.blocked(&d.rows[s], poll.Writable)
	return n, driver.WriteBlocked, nil
}

func (d *Driver) Shutdown(s driver.Sock, how driver.How) error {
	r := &d.rows[s]
	if r.nature > listening {
		switch {
		case how&driver.ShutWrite == 0 || r.fd == noDescriptor:
		case r.nature == pipeBoth:
			d.retry(s) // no event tells the reader that this is its end, too
			return d.closePipe(r)
		case r.nature == pipeOut:
			return d.closePipe(r)
		}
		return nil // a terminal has no half to close
	}
	// SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2: one less than How's bits.
	if err := unix.Shutdown(int(r.fd), int(how)-1); err != unix.ENOTCONN {
		return err
	}
	return nil
}

// closePipe ends a pipe's direction in the only way that there is. The row stays,
// without a descriptor.
func (d *Driver) closePipe(r *row) error {
	d.poller.Remove(int(r.fd))
	r.leave()
	err := unix.Close(int(r.fd))
	r.fd = noDescriptor
	return err
}

func (d *Driver) Close(s driver.Sock) error {
	r := d.rows[s]
	d.forget(s)
	if r.fd == noDescriptor {
		return nil // closePipe was here
	}
	r.leave()
	own := r.nature <= listening && r.is&shared == 0 // what was adopted has its options, and its path, from somebody else
	if !own || !d.edges {
		// Whatever has the same description, a parent's terminal say, must not keep it
		// registered; nor may a backend that keeps a table: many a kernel's fstat cannot tell
		// the next socket of the number from this one.
		d.poller.Remove(int(r.fd))
	}
	if !own {
		return unix.Close(int(r.fd)) // may block: a terminal drains, SO_LINGER may be set
	}
	if r.nature == listening {
		unlink(r.fd)
	}
	return closeSocket(r.fd)
}
