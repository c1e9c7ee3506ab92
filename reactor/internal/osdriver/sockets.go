//go:build unix || windows

package osdriver

import (
	"fmt"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// row is one open descriptor: 16 bytes, where nothing has to be noted of writes.
type socketEntry struct {
	data      driver.EventData // as registered, 0 before; in a free row, the next one
	lastWrite lastWrite
	fd        descriptor
	typ       socketType
	interest  poll.Interest // as registered
	flags     socketFlags
}

type socketFlags uint8

const (
	adopted         socketFlags = 1 << iota // adopted: others may have the same description, and options of their own
	ipv6                                    // an IPv6 socket
	awaitsRetry                             // it is in retries.socks
	connecting                              // its connection is on its way
	awaitsReconnect                         // it is in retries.dials
	seqpacket                               // a listener of sockets with whole messages
	resetSeen                               // a unixPacket's reset, which is told before what came earlier, was seen
	wasBlocking                             // adopted, and blocked before that
)

type socketType uint8

const (
	tcpStream socketType = iota + 1
	unixStream
	unixPacket // whole messages, and an end
	inetDatagram
	unixDatagram
	listening
	pipeIn
	pipeOut
	pipeBoth // a system's pipe, each end of which is open both ways
	fifo
	device // tty and whatever else can be polled
)

// add gives a descriptor a row, or closes it.
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
	case pipeBoth, fifo, device:
		return driver.KeepsOutput
	}
	return 0
}

// Unacked asks about a TCP connection; of others what was written is the peer's at once.
func (d *Driver) Unacked(s driver.Sock) bool {
	e := &d.sockets[s]
	return e.typ == tcpStream && e.lastWrite.unacked(d, e.fd)
}

// blocked follows a call that would block.
func (d *Driver) noteBlocked(e *socketEntry, dir poll.Interest) {
	if !d.edgeTriggered || e.interest&dir == 0 {
		d.rearm(e, dir)
	}
}

// watchAgain adds a direction to what is watched; backends without edges are told to
// watch it once more.
func (d *Driver) rearm(e *socketEntry, dir poll.Interest) {
	switch {
	case e.data == 0:
	case e.interest&dir == 0:
		e.interest |= dir
		d.poller.Modify(int(e.fd), poll.Token(e.data), e.interest)
	default:
		d.poller.Rearm(int(e.fd), poll.Token(e.data), dir|poll.Edge)
	}
}
