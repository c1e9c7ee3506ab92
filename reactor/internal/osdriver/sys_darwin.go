package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What macOS and iOS have: see have_linux.go for what each means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = true
	reusePortOption = 0 // SO_REUSEPORT lets one of the listeners have all

	msgNoSignal     = 0
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.Errno(1 << 20) // there is no such error
	noSigPipeOption = unix.SO_NOSIGPIPE
)

// sendQueue is how many bytes the peer has not acknowledged.
func sendQueueLen(fd int) int {
	n, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NWRITE)
	return n
}
