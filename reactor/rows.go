//go:build unix || windows

package reactor

import (
	"fmt"

	"github.com/stator-go/stator/reactor/poll"
)

// row is one open descriptor: 16 bytes, where nothing has to be noted of writes.
type row struct {
	data   uint64 // as registered, 0 before; in a free row, the next one
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
func (d *osDriver) add(fd descriptor, n nature, is marks) (Sock, error) {
	s := d.free
	if s != 0 {
		d.free = Sock(d.rows[s].data)
	} else {
		if int(d.used)+1 >= len(d.rows) {
			closeDescriptor(fd)
			return 0, fmt.Errorf("%d descriptors: %w", d.used, ErrFull)
		}
		d.used++
		s = d.used
	}
	d.rows[s] = row{fd: fd, nature: n, is: is}
	return s, nil
}

func (d *osDriver) drop(s Sock) {
	d.rows[s] = row{data: uint64(d.free), fd: noDescriptor}
	d.free = s
}

func (d *osDriver) Traits(s Sock) Traits {
	switch d.rows[s].nature {
	case inetDatagram, unixDatagram:
		return Datagram
	case unixPacket:
		return Datagram | Paired
	case listening:
		return Listening
	case pipeIn:
		return ReadOnly | Plain
	case pipeOut:
		return WriteOnly | Plain
	case pipeBoth, fifo, device:
		return Plain
	}
	return 0
}

// Unsent asks about a TCP connection; of others what was written is the peer's at once.
func (d *osDriver) Unsent(s Sock) bool {
	r := &d.rows[s]
	return r.nature == tcpStream && r.wrote.unsent(d, r.fd)
}

// blocked follows a call that would block.
func (d *osDriver) blocked(r *row, dir poll.Interest) {
	if !d.edges || r.watch&dir == 0 {
		d.watchAgain(r, dir)
	}
}

// watchAgain adds a direction to what is watched; backends without edges are told to
// watch it once more.
func (d *osDriver) watchAgain(r *row, dir poll.Interest) {
	switch {
	case r.data == 0:
	case r.watch&dir == 0:
		r.watch |= dir
		d.poller.Modify(int(r.fd), poll.Token(r.data), r.watch)
	default:
		d.poller.Rearm(int(r.fd), poll.Token(r.data), dir|poll.Edge)
	}
}
