//go:build freebsd || dragonfly || illumos

package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets are opened with SOCK_NONBLOCK and SOCK_CLOEXEC: they do not block, and a child
// does not inherit them.

const nonblockCloexec = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// newSocket opens a socket.
func newSocket(family, typ int) (int, error) { return unix.Socket(family, typ|nonblockCloexec, 0) }

// accept accepts a connection.
func accept(e *socketEntry) (descriptor, syscall.Errno) {
	fd, _, err := unix.Accept4(int(e.fd), nonblockCloexec)
	return descriptor(fd), errnoOf(err)
}
