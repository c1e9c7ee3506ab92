package osdriver

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What NetBSD has: see sys_linux.go for what each constant means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = false // its kqueue has no event for an urgent byte
	reusePortOption = 0     // SO_REUSEPORT gives all connections to one of the listeners

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.Errno(1 << 20) // no such error: no call returns this number
	noSigPipeOption = 0

	keepIdleOption     = unix.TCP_KEEPIDLE
	keepIntervalOption = unix.TCP_KEEPINTVL
	keepCountOption    = unix.TCP_KEEPCNT
	keepUnit           = time.Second
)

// fionwrite is FIONWRITE of sys/filio.h, which package unix lacks.
const fionwrite = 0x40046679

// sendQueueLen returns how many bytes the peer has not acknowledged.
func sendQueueLen(fd int) int {
	n, _ := unix.IoctlGetInt(fd, fionwrite)
	return n
}
