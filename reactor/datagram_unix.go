//go:build unix

package reactor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/poll"
)

// Datagrams, each with its address.

func (d *osDriver) Recv(s Sock, b []byte) (int, Addr, Flow, error) {
	r := &d.rows[s]
	if r.nature != inetDatagram && r.nature != unixDatagram { // it has one peer, and an end
		n, flow, err := d.Read(s, b)
		return n, Addr{}, flow, err
	}
	for {
		n, from, errno := receiveFrom(r, b)
		switch errno {
		case 0:
			raceWrite(b[:n])
			return n, from, 0, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.blocked(r, poll.Readable)
			return 0, Addr{}, Drained, nil
		default:
			if !r.forgives(errno) {
				return 0, Addr{}, Gone, errno
			}
		}
	}
}

func (d *osDriver) Send(s Sock, b []byte, to Addr) (int, Flow, error) {
	r := &d.rows[s]
	if to.Net == Unixgram {
		return d.sendUnix(s, b, to)
	}
	raceRead(b)
	for {
		n, errno := d.scratch.transmitTo(r, b, to.IP)
		switch errno {
		case 0:
			return n, 0, nil
		case syscall.EINTR, syscall.ECONNREFUSED:
		case syscall.EAGAIN:
			d.blocked(r, poll.Writable)
			return 0, Full, nil
		case syscall.ENOBUFS:
			d.retry(s)
			return 0, Full, nil
		default:
			return 0, 0, errno
		}
	}
}

func (d *osDriver) sendUnix(s Sock, b []byte, to Addr) (int, Flow, error) {
	if err := unixPath(to.Path); err != nil {
		return 0, 0, err
	}
	switch err := unix.Sendto(int(d.rows[s].fd), b, noSignal|dontWait, &unix.SockaddrUnix{Name: to.Path}); err {
	case nil:
		return len(b), 0, nil
	case unix.EAGAIN, unix.ENOBUFS: // whose queue is full tells nobody but who is connected to it
		d.retry(s)
		return 0, Full, nil
	default:
		return 0, 0, err
	}
}
