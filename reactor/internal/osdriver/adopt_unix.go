//go:build unix

package osdriver

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// Descriptors from elsewhere, and for elsewhere: Adopt and Release.
//
// Whether calls block is a property of the open file description, which all duplicates
// of a descriptor have in common, also in other processes. What Adopt changes, it changes
// for all of them, and beyond the end of this process; and they can change it back at any
// time. So Adopt opens the file anew where the system allows that, for a description of
// its own: see reopen. Else it uses a duplicate, whose entry has the flag adopted:
//
//   - Calls on sockets ask for each call not to block.
//   - For all other files, and for accept(2), which cannot ask, the driver sets the mode
//     before each call. If another process makes the description block just then, the loop
//     waits. The scheduler knows these calls, so that the other goroutines go on.
//   - When the driver is done with the file, it restores the mode that it found.

// Adopt finds out what a descriptor stands for, and opens or duplicates it.
func (d *Driver) Adopt(from uintptr) (driver.Sock, error) {
	typ, err := typeOf(int(from))
	if err != nil {
		return 0, err
	}
	fd, anew := reopen(int(from), typ)
	if typ == fifoIn && hasEnded(int(from)) { // a FIFO that was opened anew does not know of earlier writers
		typ = pipeIn
	}
	if anew {
		flags := socketFlags(0)
		if isBlocking(int(from)) {
			flags = wasBlocking
		}
		return d.add(descriptor(fd), typ, flags)
	}
	if fd, err = duplicate(from); err != nil {
		return 0, err
	}
	flags, err := d.makeNonblocking(fd, typ)
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	if typ <= listening {
		flags |= socketFlagsOf(fd)
	}
	s, err := d.add(descriptor(fd), typ, adopted|flags)
	if err == nil && flags&wasBlocking != 0 {
		d.madeNonblocking.add(fd, s)
	}
	return s, err
}

// makeNonblocking sets a duplicate to non-blocking mode. It returns wasBlocking if this
// driver, now or for another entry with the same description, has changed the mode.
func (d *Driver) makeNonblocking(fd int, typ socketType) (flags socketFlags, err error) {
	switch {
	case isBlocking(fd):
		return wasBlocking, unix.SetNonblock(fd, true)
	case typ > listening && d.madeNonblockingBefore(fd):
		return wasBlocking, nil
	}
	return 0, nil
}

// isBlocking reports whether calls on a descriptor block.
func isBlocking(fd int) bool {
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags&unix.O_NONBLOCK == 0
}

// madeNonblockingBefore reports whether fd would block, but for another entry with the
// same description, as stdin and stdout of a terminal have. It finds out by making each
// entry of the same file block for a moment.
func (d *Driver) madeNonblockingBefore(fd int) bool {
	for _, s := range d.madeNonblocking.of(fd) {
		e := &d.sockets[s]
		unix.SetNonblock(int(e.fd), false)
		same := isBlocking(fd) // it changed together with the entry
		unix.SetNonblock(int(e.fd), true)
		if same {
			return true
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
func (d *Driver) restoreBlocking(s driver.Sock) {
	e := &d.sockets[s]
	if e.flags&wasBlocking == 0 || e.fd == noDescriptor {
		return
	}
	if e.flags&adopted != 0 {
		d.madeNonblocking.remove(int(e.fd), s)
	}
	unix.SetNonblock(int(e.fd), false)
}

// fileID tells files apart: two descriptors with the same description have the same.
type fileID struct{ device, inode uint64 }

// socketsOfFiles has sockets by the file that they stand for.
type socketsOfFiles map[fileID][]driver.Sock

func idOf(fd int) fileID {
	var st unix.Stat_t
	unix.Fstat(fd, &st)
	return fileID{uint64(st.Dev), uint64(st.Ino)}
}

func (m socketsOfFiles) of(fd int) []driver.Sock { return m[idOf(fd)] }

func (m *socketsOfFiles) add(fd int, s driver.Sock) {
	if *m == nil {
		*m = socketsOfFiles{}
	}
	id := idOf(fd)
	(*m)[id] = append((*m)[id], s)
}

func (m socketsOfFiles) remove(fd int, s driver.Sock) {
	id := idOf(fd)
	left := slices.DeleteFunc(m[id], func(other driver.Sock) bool { return other == s })
	if m[id] = left; len(left) == 0 {
		delete(m, id)
	}
}

// socketFlagsOf returns what has to be known of an open socket beside its type.
func socketFlagsOf(fd int) socketFlags {
	flags := familyFlagOf(fd)
	if sotype, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); sotype == unix.SOCK_SEQPACKET {
		flags |= seqpacket
	}
	return flags
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
			if st.Nlink != 0 { // a FIFO has a name
				return fifoIn, err
			}
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

// hasEnded reports whether a FIFO has no writer any more: it had one since it was opened.
func hasEnded(fd int) bool {
	asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(asked, 0)
	return n > 0 && err == nil && asked[0].Revents&unix.POLLHUP != 0
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
	d.restoreBlocking(s)
	d.forget(s)
	return uintptr(fd), nil
}
