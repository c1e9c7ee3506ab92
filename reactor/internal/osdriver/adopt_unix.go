//go:build unix

package osdriver

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// Descriptors that come from somewhere else, what they are, and the way out.

// Adopt duplicates an open descriptor and finds out what it is.
func (d *Driver) Adopt(of uintptr) (driver.Sock, error) {
	fd, err := duplicate(of)
	if err != nil {
		return 0, err
	}
	n, err := natureOf(fd)
	is := shared | familyAt(fd)
	switch {
	case err != nil:
	case blocks(fd):
		is |= blocking
		err = unix.SetNonblock(fd, true)
	case n > listening && d.unblocked(fd):
		is |= blocking
	}
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	if typ, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); typ == unix.SOCK_SEQPACKET {
		is |= packets
	}
	return d.add(descriptor(fd), n, is)
}

func blocks(fd int) bool {
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags&unix.O_NONBLOCK == 0
}

// unblocked tells whether fd would block, were it not for a row with the same
// description, as stdin and stdout have at a terminal: then it changes with that one.
func (d *Driver) unblocked(fd int) bool {
	for i := range d.rows[:d.used+1] {
		if r := &d.rows[i]; r.is&blocking != 0 && r.fd != noDescriptor {
			unix.SetNonblock(int(r.fd), false)
			same := blocks(fd)
			unix.SetNonblock(int(r.fd), true)
			if same {
				return true
			}
		}
	}
	return false
}

// unblock has what was adopted not block again: whoever has the same description, a
// child with the same terminal say, may have made it. It is for the calls that, other
// than those of a socket with bytes in it, cannot ask for that themselves.
func (r *row) unblock() {
	if r.is&shared != 0 {
		unix.SetNonblock(int(r.fd), true)
	}
}

// leave has what was adopted be as it was for whoever else has the description: the
// shell would not expect that its terminal does not block.
func (r *row) leave() {
	if r.is&blocking != 0 {
		unix.SetNonblock(int(r.fd), false)
	}
}

// familyAt is familyOf for an open socket. Not every system has SO_DOMAIN.
func familyAt(fd int) marks {
	sa, _ := unix.Getsockname(fd)
	return familyOf(sa)
}

func natureOf(fd int) (nature, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFSOCK:
		return socketNature(fd)
	case unix.S_IFIFO:
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		switch flags & unix.O_ACCMODE {
		case unix.O_RDONLY:
			return pipeIn, err
		case unix.O_WRONLY:
			return pipeOut, err
		}
		if st.Nlink == 0 { // a FIFO would have a name
			return pipeBoth, err
		}
		return fifo, err
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFBLK:
		return 0, fmt.Errorf("a regular file, directory or disk: %w", driver.ErrNotPollable)
	}
	return device, nil
}

func socketNature(fd int) (nature, error) {
	typ, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return 0, err
	}
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on != 0 {
		return listening, nil
	}
	inet := false
	switch sa, _ := unix.Getsockname(fd); sa.(type) {
	case *unix.SockaddrInet4, *unix.SockaddrInet6:
		inet = true
	}
	switch {
	case typ == unix.SOCK_STREAM && inet:
		return tcpStream, nil
	case typ == unix.SOCK_DGRAM && inet:
		return inetDatagram, nil
	case typ == unix.SOCK_DGRAM:
		return unixDatagram, nil
	case typ == unix.SOCK_SEQPACKET:
		return unixPacket, nil
	}
	return unixStream, nil
}

func (d *Driver) Release(s driver.Sock) (uintptr, error) {
	fd := d.rows[s].fd
	if err := d.poller.Remove(int(fd)); err != nil {
		return 0, err
	}
	d.forget(s)
	return uintptr(fd), nil
}
