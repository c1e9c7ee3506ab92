//go:build unix

package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Datagrams, each with its address.

func (d *Driver) Recv(s driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	r := &d.rows[s]
	if r.nature != inetDatagram && r.nature != unixDatagram { // it has one peer, and an end
		n, flow, err := d.Read(s, b)
		return n, driver.Addr{}, flow, err
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
			return 0, driver.Addr{}, driver.ReadBlocked, nil
		default:
			if !r.forgives(errno) {
				return 0, driver.Addr{}, driver.BothEnded, errno
			}
		}
	}
}

func (d *Driver) Send(s driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	r := &d.rows[s]
	if to.Net == driver.Unixgram {
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
			return 0, driver.WriteBlocked, nil
		case syscall.ENOBUFS:
			d.retry(s)
			return 0, driver.WriteBlocked, nil
		default:
			return 0, 0, errno
		}
	}
}

func (d *Driver) sendUnix(s driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	if err := unixPath(to.Path); err != nil {
		return 0, 0, err
	}
	switch err := unix.Sendto(int(d.rows[s].fd), b, noSignal|dontWait, &unix.SockaddrUnix{Name: to.Path}); err {
	case nil:
		return len(b), 0, nil
	case unix.EAGAIN, unix.ENOBUFS: // whose queue is full tells nobody but who is connected to it
		d.retry(s)
		return 0, driver.WriteBlocked, nil
	default:
		return 0, 0, err
	}
}
