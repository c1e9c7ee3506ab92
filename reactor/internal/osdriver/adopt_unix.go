//go:build unix

package osdriver

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// Descriptors from elsewhere, and for elsewhere: Adopt and Release.
//
// Whether calls block is a property of the open file description, which all duplicates
// of a descriptor have in common, also in other processes. So Adopt changes it for others,
// and others can change it back at any time. Calls on sockets ask for each call not to
// block. For all other files the driver sets the mode before each call, and restores the
// mode that it found when it closes the file.

// Adopt duplicates an open descriptor and finds out what it stands for.
func (d *Driver) Adopt(from uintptr) (driver.Sock, error) {
	fd, err := duplicate(from)
	if err != nil {
		return 0, err
	}
	typ, err := typeOf(fd)
	flags := adopted | familyFlagOf(fd)
	switch {
	case err != nil:
	case isBlocking(fd):
		flags |= wasBlocking
		err = unix.SetNonblock(fd, true)
	case typ > listening && d.madeNonblockingByAnother(fd):
		flags |= wasBlocking
	}
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	if sotype, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); sotype == unix.SOCK_SEQPACKET {
		flags |= seqpacket
	}
	return d.add(descriptor(fd), typ, flags)
}

// isBlocking reports whether calls on a descriptor block.
func isBlocking(fd int) bool {
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags&unix.O_NONBLOCK == 0
}

// madeNonblockingByAnother reports whether fd would block, but for another entry with the
// same description, as stdin and stdout of a terminal have. It finds out by making each
// such entry block for a moment.
func (d *Driver) madeNonblockingByAnother(fd int) bool {
	for i := range d.sockets[:d.used+1] {
		if e := &d.sockets[i]; e.flags&wasBlocking != 0 && e.fd != noDescriptor {
			unix.SetNonblock(int(e.fd), false)
			same := isBlocking(fd) // it changed together with the entry
			unix.SetNonblock(int(e.fd), true)
			if same {
				return true
			}
		}
	}
	return false
}

// ensureNonblocking sets what was adopted to non-blocking mode again: another process with
// the same description, such as a child with the same terminal, may have changed that. It
// is called before a system call that has no MSG_DONTWAIT.
func (e *socketEntry) ensureNonblocking() {
	if e.flags&adopted != 0 {
		unix.SetNonblock(int(e.fd), true)
	}
}

// restoreBlocking sets what was adopted to the mode that it had: a shell does not expect
// that its terminal does not block.
func (e *socketEntry) restoreBlocking() {
	if e.flags&wasBlocking != 0 {
		unix.SetNonblock(int(e.fd), false)
	}
}

// familyFlagOf is familyFlag of an open socket's address. Not every system has SO_DOMAIN.
func familyFlagOf(fd int) socketFlags {
	sa, _ := unix.Getsockname(fd)
	return familyFlag(sa)
}

// typeOf returns what a descriptor stands for, or ErrNotPollable.
func typeOf(fd int) (socketType, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFSOCK:
		return socketTypeOf(fd)
	case unix.S_IFIFO:
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		switch flags & unix.O_ACCMODE {
		case unix.O_RDONLY:
			return pipeIn, err
		case unix.O_WRONLY:
			return pipeOut, err
		}
		if st.Nlink == 0 { // a FIFO would have a name
			return pipeBoth, err // it can't be half-closed: see closePipe
		}
		return fifo, err
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFBLK:
		return 0, fmt.Errorf("a regular file, directory or disk: %w", driver.ErrNotPollable)
	}
	return device, nil
}

func socketTypeOf(fd int) (socketType, error) {
	sotype, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
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
	case sotype == unix.SOCK_STREAM && inet:
		return tcpStream, nil
	case sotype == unix.SOCK_DGRAM && inet:
		return inetDatagram, nil
	case sotype == unix.SOCK_DGRAM:
		return unixDatagram, nil
	case sotype == unix.SOCK_SEQPACKET:
		return unixPacket, nil
	}
	return unixStream, nil
}

func (d *Driver) Release(s driver.Sock) (uintptr, error) {
	fd := d.sockets[s].fd
	if err := d.poller.Remove(int(fd)); err != nil {
		return 0, err
	}
	d.forget(s)
	return uintptr(fd), nil
}
