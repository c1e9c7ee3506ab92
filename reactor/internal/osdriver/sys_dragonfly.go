package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What DragonFly BSD has: see have_linux.go for what each means.

const (
	abstractNames   = false
	dualStack       = false
	shortReadDrains = true
	reusePortOption = unix.SO_REUSEPORT

	msgNoSignal = unix.MSG_NOSIGNAL
	msgDontWait = unix.MSG_DONTWAIT
	enonet      = syscall.Errno(1 << 20) // there is no such error
)
