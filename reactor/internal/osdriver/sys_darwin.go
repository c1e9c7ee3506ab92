package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What macOS and iOS have: see have_linux.go for what each means.

const (
	abstractNames  = false
	takesIPv4      = true
	shortIsDrained = true
	spreads        = 0 // SO_REUSEPORT lets one of the listeners have all

	noSignal  = 0
	dontWait  = unix.MSG_DONTWAIT
	errNoNet  = syscall.Errno(1 << 20) // there is no such error
	noSigPipe = unix.SO_NOSIGPIPE
)

// sendQueue is how many bytes the peer has not acknowledged.
func sendQueue(fd int) int {
	n, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NWRITE)
	return n
}
