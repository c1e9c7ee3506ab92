package osdriver

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What OpenBSD has: see sys_linux.go for what each constant means.

const (
	abstractNames   = false
	dualStack       = false
	shortReadDrains = true
	reusePortOption = 0 // SO_REUSEPORT gives all connections to one of the listeners

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.Errno(1 << 20) // no such error: no call returns this number
	noSigPipeOption = 0

	keepIdleOption     = 0 // a socket has no times of its own
	keepIntervalOption = 0
	keepCountOption    = 0
	keepUnit           = time.Second
)
