//go:build unix

package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Datagrams, each with the address of its sender or receiver.

func (d *Driver) Recv(s driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	e := &d.sockets[s]
	if e.typ != inetDatagram && e.typ != unixDatagram { // unixPacket: it has one peer, and an end
		n, flow, err := d.Read(s, b)
		return n, driver.Addr{}, flow, err
	}
	for {
		n, from, errno := recvFrom(e, b)
		switch errno {
		case 0:
			raceWrite(b[:n])
			return n, from, 0, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.noteBlocked(e, poll.Readable)
			return 0, driver.Addr{}, driver.ReadBlocked, nil
		default:
			if !e.isDatagramError(errno) {
				return 0, driver.Addr{}, driver.BothEnded, errno
			}
		}
	}
}

func (d *Driver) Send(s driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	e := &d.sockets[s]
	if to.Net == driver.Unixgram {
		return d.sendUnix(s, b, to)
	}
	raceRead(b)
	for {
		n, errno := d.scratch.sendTo(e, b, to.IP)
		switch {
		case errno == 0:
			return n, 0, nil
		case errno == syscall.EINTR, errno == syscall.ECONNREFUSED:
		case errno == syscall.EAGAIN:
			d.noteBlocked(e, poll.Writable)
			return 0, driver.WriteBlocked, nil
		case isNoMemory(errno):
			d.scheduleRetry(s)
			return 0, driver.WriteBlocked, nil
		default:
			return 0, 0, errno
		}
	}
}

func (d *Driver) sendUnix(s driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	if err := checkUnixPath(to.Path); err != nil {
		return 0, 0, err
	}
	switch err := unix.Sendto(int(d.sockets[s].fd), b, msgNoSignal|msgDontWait, &unix.SockaddrUnix{Name: to.Path}); err {
	case nil:
		return len(b), 0, nil
	case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM: // the kernel has an event for room in a peer's queue only if the socket is connected to it
		d.scheduleRetry(s)
		return 0, driver.WriteBlocked, nil
	default:
		return 0, 0, err
	}
}

// isDatagramError reports whether an error is that of a datagram which was sent earlier: an
// ICMP message, or a peer that is gone. The call that returned it has cleared it. The
// socket goes on.
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
