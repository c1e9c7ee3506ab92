//go:build unix

package osdriver

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The Driver of every Unix, and the calls that do not move bytes: Wait, Register,
// Shutdown, Close.

// descriptor is the number of an open file.
type descriptor int32

const noDescriptor descriptor = -1

func closeDescriptor(fd descriptor) { unix.Close(int(fd)) }

// Driver is the operating system's driver.Driver. It sets all descriptors to
// non-blocking mode, and has an edge-triggered poll.Poller.
type Driver struct {
	base
	reconnects      map[driver.Sock]unix.Sockaddr // where those that awaitsReconnect connect to
	scratch         scratch
	madeNonblocking socketsOfFiles // adopted sockets with wasBlocking
	paths           map[driver.Sock]boundPath
}

// isSocket reports whether it is a socket with bytes or messages in it.
func (e *socketEntry) isSocket() bool { return e.typ <= unixDatagram }

// initialInterest is what each type is registered for. Where Writable is not in it, the
// first write that would block adds it: most such descriptors never see one.
var initialInterest = [...]poll.Interest{
	tcpStream:    tcpInterest | poll.Edge,
	unixStream:   poll.Readable | poll.Edge,
	unixPacket:   poll.Readable | poll.Edge,
	inetDatagram: poll.Readable | poll.Edge,
	unixDatagram: poll.Readable | poll.Edge,
	listening:    poll.Readable | poll.Edge,
	pipeIn:       poll.Readable | poll.Edge,
	fifoIn:       poll.Readable | poll.Edge,
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

// Shutdown ends the output of a connection, which is half-closed then. A pipe, which has no
// shutdown(2), is closed instead: see closePipe. Of one that was open both ways, retry.go
// makes the end of its input.
func (d *Driver) Shutdown(s driver.Sock, how driver.How) error {
	e := &d.sockets[s]
	if e.typ > listening {
		switch {
		case how&driver.ShutWrite == 0 || e.fd == noDescriptor:
		case e.typ == pipeBoth:
			d.scheduleRetry(s) // its input ends with it, and the kernel has no event for that
			return d.closePipe(s)
		case e.typ == pipeOut:
			return d.closePipe(s)
		}
		return nil // a terminal has no direction to end
	}
	// SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2: one less than How's bits.
	if err := unix.Shutdown(int(e.fd), int(how)-1); err != unix.ENOTCONN {
		return err
	}
	return nil
}

// closePipe closes a pipe's descriptor, which is the only way to end its output: a pipe
// can't be half-closed. The entry stays, with noDescriptor: a read of it returns the end.
func (d *Driver) closePipe(s driver.Sock) error {
	e := &d.sockets[s]
	d.poller.Remove(int(e.fd))
	d.restoreBlocking(s)
	err := unix.Close(int(e.fd))
	e.fd = noDescriptor
	return err
}

func (d *Driver) Reset(s driver.Sock) error {
	if e := &d.sockets[s]; e.typ == tcpStream {
		unix.SetsockoptLinger(int(e.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	return d.Close(s)
}

func (d *Driver) Close(s driver.Sock) error {
	d.restoreBlocking(s)
	e, path := d.sockets[s], d.paths[s]
	d.forget(s)
	if e.fd == noDescriptor {
		return nil // closePipe closed it
	}
	opened := e.typ <= listening && e.flags&adopted == 0 // by this driver, with its options
	if !opened || !d.edgeTriggered {
		// epoll forgets a descriptor when its description is closed: of one that was adopted,
		// another process may have a duplicate. The backends that are not edge-triggered keep a
		// table by number, and may take the next socket with this number for this one.
		d.poller.Remove(int(e.fd))
	}
	if !opened {
		return unix.Close(int(e.fd)) // may block: a terminal drains, SO_LINGER may be set
	}
	path.unlink()
	return closeSocket(e.fd)
}
