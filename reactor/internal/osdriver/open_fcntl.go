//go:build darwin || netbsd || openbsd || aix || (solaris && !illumos) || (linux && stator_plain)

package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets that are made what they have to be once they are open: the system, or package
// unix, has no accept4. Until then no child may be started.

func newSocket(family, typ int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(family, typ, 0)
	if err != nil {
		return 0, err
	}
	if err := own(fd); err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// acceptOn holds the lock only where accept cannot block: what was adopted could have
// been made to, and would keep the process from starting children.
func acceptOn(r *row) (descriptor, syscall.Errno) {
	if r.is&shared == 0 {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	fd, _, err := unix.Accept(int(r.fd))
	if err != nil {
		return 0, errnoOf(err)
	}
	if err = own(fd); err != nil {
		unix.Close(fd)
	}
	return descriptor(fd), errnoOf(err)
}

// own makes a socket what all of the driver's are. Where a peer is gone already, macOS
// refuses options of an accepted socket: its first read tells of that.
func own(fd int) error {
	unix.CloseOnExec(fd)
	if noSigPipe != 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, noSigPipe, 1)
	}
	return unix.SetNonblock(fd, true)
}
