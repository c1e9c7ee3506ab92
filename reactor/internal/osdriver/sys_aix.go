package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What AIX has: see have_linux.go for what each means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = true
	reusePortOption = 0 // SO_REUSEPORT lets one of the listeners have all

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_NONBLOCK
	enonet          = syscall.Errno(1 << 20) // there is no such error
	noSigPipeOption = 0
)
