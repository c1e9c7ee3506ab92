//go:build darwin || netbsd || openbsd || aix || (solaris && !illumos) || (linux && stator_plain)

package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets are opened first, and then set to non-blocking mode and close-on-exec: the system,
// or package unix, has no accept4. In between no child may be started, hence the lock.

// newSocket opens a socket.
func newSocket(family, typ int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(family, typ, 0)
	if err != nil {
		return 0, err
	}
	if err := initSocket(fd); err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// accept accepts a connection. It holds the lock only if it cannot block: a listener that
// was adopted may have been set to blocking mode by another process, and the
// process could start no children while it blocks.
func accept(e *socketEntry) (descriptor, syscall.Errno) {
	if e.flags&adopted == 0 {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	fd, _, err := unix.Accept(int(e.fd))
	if err != nil {
		return 0, errnoOf(err)
	}
	if err = initSocket(fd); err != nil {
		unix.Close(fd)
	}
	return descriptor(fd), errnoOf(err)
}

// initSocket sets the modes and options that all sockets of the driver have. On macOS an
// option of an accepted socket can't be set if the peer is gone already: that error is
// ignored, as the first read returns the end.
func initSocket(fd int) error {
	unix.CloseOnExec(fd)
	if noSigPipeOption != 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, noSigPipeOption, 1)
	}
	return unix.SetNonblock(fd, true)
}
