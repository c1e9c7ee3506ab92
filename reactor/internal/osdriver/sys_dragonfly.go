package osdriver

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What DragonFly BSD has: see sys_linux.go for what each constant means.

const (
	abstractNames   = false
	dualStack       = false
	shortReadDrains = true
	reusePortOption = unix.SO_REUSEPORT

	msgNoSignal = unix.MSG_NOSIGNAL
	msgDontWait = unix.MSG_DONTWAIT
	enonet      = syscall.Errno(1 << 20) // no such error: no call returns this number

	keepIdleOption     = unix.TCP_KEEPIDLE
	keepIntervalOption = unix.TCP_KEEPINTVL
	keepCountOption    = unix.TCP_KEEPCNT
	keepUnit           = time.Millisecond
)
