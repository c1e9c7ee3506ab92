//go:build unix || windows

package osdriver

import (
	"fmt"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// row is one open descriptor: 16 bytes, where nothing has to be noted of writes.
type row struct {
	data   driver.EventData // as registered, 0 before; in a free row, the next one
	wrote  lastWrite
	fd     descriptor
	nature nature
	watch  poll.Interest // as registered
	is     marks
}

type marks uint8

const (
	shared   marks = 1 << iota // adopted: others may have the same description, and options of their own
	six                        // an IPv6 socket
	refused                    // it is in retries.socks
	dialling                   // its connection is on its way
	redials                    // it is in retries.dials
	packets                    // a listener of sockets with whole messages
	cut                        // a unixPacket's reset, which is told before what came earlier, was seen
	blocking                   // adopted, and blocked before that
)

type nature uint8

const (
	tcpStream nature = iota + 1
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
func (d *Driver) add(fd descriptor, n nature, is marks) (driver.Sock, error) {
	s := d.free
	if s != 0 {
		d.free = driver.Sock(d.rows[s].data)
	} else {
		if int(d.used)+1 >= len(d.rows) {
			closeDescriptor(fd)
			return 0, fmt.Errorf("%d descriptors: %w", d.used, driver.ErrFull)
		}
		d.used++
		s = d.used
	}
	d.rows[s] = row{fd: fd, nature: n, is: is}
	return s, nil
}

func (d *Driver) drop(s driver.Sock) {
	d.rows[s] = row{data: driver.EventData(d.free), fd: noDescriptor}
	d.free = s
}

func (d *Driver) Traits(s driver.Sock) driver.Traits {
	switch d.rows[s].nature {
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
	r := &d.rows[s]
	return r.nature == tcpStream && r.wrote.unacked(d, r.fd)
}

// blocked follows a call that would block.
func (d *Driver) blocked(r *row, dir poll.Interest) {
	if !d.edges || r.watch&dir == 0 {
		d.watchAgain(r, dir)
	}
}

// watchAgain adds a direction to what is watched; backends without edges are told to
// watch it once more.
func (d *Driver) watchAgain(r *row, dir poll.Interest) {
	switch {
	case r.data == 0:
	case r.watch&dir == 0:
		r.watch |= dir
		d.poller.Modify(int(r.fd), poll.Token(r.data), r.watch)
	default:
		d.poller.Rearm(int(r.fd), poll.Token(r.data), dir|poll.Edge)
	}
}
