package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What FreeBSD has: see have_linux.go for what each means.

const (
	abstractNames  = false
	takesIPv4      = true
	shortIsDrained = false // its kqueue tells of no urgent byte
	spreads        = unix.SO_REUSEPORT_LB

	noSignal = unix.MSG_NOSIGNAL
	dontWait = unix.MSG_DONTWAIT
	errNoNet = syscall.Errno(1 << 20) // there is no such error
)

// fionwrite is FIONWRITE of sys/filio.h, which package unix lacks.
const fionwrite = 0x40046677

// sendQueue is how many bytes the peer has not acknowledged.
func sendQueue(fd int) int {
	n, _ := unix.IoctlGetInt(fd, fionwrite)
	return n
}
