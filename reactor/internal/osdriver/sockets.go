//go:build unix || windows

package osdriver

import (
	"fmt"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// socketEntry is an open descriptor in the table, base.sockets. It has 16 bytes where
// the kernel knows what is not acknowledged, so that lastWrite is empty.
type socketEntry struct {
	data      driver.EventData // as registered, 0 before; of a free entry, the next free one
	lastWrite lastWrite
	fd        descriptor
	typ       socketType
	interest  poll.Interest // as registered
	flags     socketFlags
}

type socketFlags uint8

const (
	adopted         socketFlags = 1 << iota // a duplicate: others may have its description, and may have set its options
	ipv6                                    // its addresses are of IPv6
	awaitsRetry                             // it is in retryQueue.sockets
	connecting                              // its connection is under way
	awaitsReconnect                         // its connection has to be tried again; it is in Driver.reconnects
	seqpacket                               // a listener of unixPacket sockets
	resetSeen                               // a unixPacket whose reset was returned by the kernel, and not yet by Read
	wasBlocking                             // what it was adopted from blocked before
)

// socketType is what a descriptor stands for. Those up to unixDatagram are sockets with
// bytes or messages in them, those up to listening are sockets.
type socketType uint8

const (
	tcpStream socketType = iota + 1
	unixStream
	unixPacket // whole messages, and an end
	inetDatagram
	unixDatagram
	listening
	pipeIn   // the read end
	fifoIn   // the read end of a FIFO whose writer may still come
	pipeOut  // the write end
	pipeBoth // an end of a pipe that is open both ways, as some systems' pipe(2) has it
	fifo     // a FIFO that is open both ways
	device   // a terminal, or another file that can be waited for
)

// add makes an entry for a descriptor. If the table is full it closes the descriptor.
func (d *Driver) add(fd descriptor, typ socketType, flags socketFlags) (driver.Sock, error) {
	s := d.free
	if s != 0 {
		d.free = driver.Sock(d.sockets[s].data)
	} else {
		if int(d.used)+1 >= len(d.sockets) {
			closeDescriptor(fd)
			return 0, fmt.Errorf("%d descriptors: %w", d.used, driver.ErrFull)
		}
		d.used++
		s = d.used
	}
	d.sockets[s] = socketEntry{fd: fd, typ: typ, flags: flags}
	return s, nil
}

// drop frees an entry. It does not close the descriptor.
func (d *Driver) drop(s driver.Sock) {
	d.sockets[s] = socketEntry{data: driver.EventData(d.free), fd: noDescriptor}
	d.free = s
}

func (d *Driver) Traits(s driver.Sock) driver.Traits {
	switch d.sockets[s].typ {
	case inetDatagram, unixDatagram:
		return driver.Datagram
	case unixPacket:
		return driver.Datagram | driver.Sequenced
	case listening:
		return driver.Listening
	case pipeIn:
		return driver.ReadOnly | driver.KeepsOutput
	case pipeOut:
		return driver.WriteOnly | driver.KeepsOutput
	case fifoIn:
		return driver.ReadOnly | driver.KeepsOutput | driver.EventFirst
	case pipeBoth, fifo:
		return driver.KeepsOutput
	case device:
		return driver.KeepsOutput | driver.EventFirst
	}
	return 0
}

// Unacked concerns TCP alone: what is written to another socket is the peer's at once.
func (d *Driver) Unacked(s driver.Sock) bool {
	e := &d.sockets[s]
	return e.typ == tcpStream && e.lastWrite.unacked(d, e.fd)
}

// connectedToItself reports whether both ends of a connection of TCP or UDP are the same
// socket. If nothing is bound to the port that it connects to, the system may choose that
// very port for the socket; then each of its messages reaches itself.
func (d *Driver) connectedToItself(s driver.Sock) bool {
	if typ := d.sockets[s].typ; typ != tcpStream && typ != inetDatagram {
		return false
	}
	local, err := d.Addr(s, driver.Local)
	if err != nil {
		return false
	}
	remote, err := d.Addr(s, driver.Remote)
	return err == nil && local == remote
}

// noteBlocked is called after a call that would block, so that the next event of its
// direction comes.
func (d *Driver) noteBlocked(e *socketEntry, dir poll.Interest) {
	if !d.edgeTriggered || e.interest&dir == 0 {
		d.rearm(e, dir)
	}
}

// rearm adds a direction to what is registered or, if it is there, re-arms it in a poller
// that is not edge-triggered.
func (d *Driver) rearm(e *socketEntry, dir poll.Interest) {
	switch {
	case e.data == 0: // Register has not been called
	case e.interest&dir == 0:
		e.interest |= dir
		d.poller.Modify(int(e.fd), poll.Token(e.data), e.interest)
	default:
		d.poller.Rearm(int(e.fd), poll.Token(e.data), dir|poll.Edge)
	}
}
