package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What OpenBSD has: see have_linux.go for what each means.

const (
	abstractNames   = false
	dualStack       = false
	shortReadDrains = true
	reusePortOption = 0 // SO_REUSEPORT lets one of the listeners have all

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.Errno(1 << 20) // there is no such error
	noSigPipeOption = 0
)
