package osdriver

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What AIX has: see sys_linux.go for what each constant means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = true
	reusePortOption = 0 // SO_REUSEPORT gives all connections to one of the listeners

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_NONBLOCK
	enonet          = syscall.Errno(1 << 20) // no such error: no call returns this number
	noSigPipeOption = 0

	keepIdleOption     = unix.TCP_KEEPIDLE
	keepIntervalOption = unix.TCP_KEEPINTVL
	keepCountOption    = unix.TCP_KEEPCNT
	keepUnit           = time.Second
)
