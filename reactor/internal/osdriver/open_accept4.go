//go:build freebsd || dragonfly || illumos

package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets that do not block, and that a child does not inherit, from the first.

const sockFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

func newSocket(family, typ int) (int, error) { return unix.Socket(family, typ|sockFlags, 0) }

func acceptOn(r *row) (descriptor, syscall.Errno) {
	fd, _, err := unix.Accept4(int(r.fd), sockFlags)
	return descriptor(fd), errnoOf(err)
}
