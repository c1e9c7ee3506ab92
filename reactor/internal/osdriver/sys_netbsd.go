package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What NetBSD has: see have_linux.go for what each means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = false // its kqueue tells of no urgent byte
	reusePortOption = 0     // SO_REUSEPORT lets one of the listeners have all

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.Errno(1 << 20) // there is no such error
	noSigPipeOption = 0
)

// fionwrite is FIONWRITE of sys/filio.h, which package unix lacks.
const fionwrite = 0x40046679

// sendQueue is how many bytes the peer has not acknowledged.
func sendQueueLen(fd int) int {
	n, _ := unix.IoctlGetInt(fd, fionwrite)
	return n
}
