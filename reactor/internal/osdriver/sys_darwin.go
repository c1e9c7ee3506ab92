package osdriver

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What macOS and iOS have: see sys_linux.go for what each constant means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = true
	reusePortOption = 0 // SO_REUSEPORT gives all connections to one of the listeners

	msgNoSignal     = 0
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.Errno(1 << 20) // no such error: no call returns this number
	noSigPipeOption = unix.SO_NOSIGPIPE

	keepIdleOption     = unix.TCP_KEEPALIVE
	keepIntervalOption = unix.TCP_KEEPINTVL
	keepCountOption    = unix.TCP_KEEPCNT
	keepUnit           = time.Second
)

// sendQueueLen returns how many bytes the peer has not acknowledged.
func sendQueueLen(fd int) int {
	n, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NWRITE)
	return n
}
