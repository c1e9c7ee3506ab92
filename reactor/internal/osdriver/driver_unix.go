//go:build unix

package osdriver

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

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
