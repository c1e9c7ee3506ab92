package osdriver

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What Solaris and illumos have: see sys_linux.go for what each constant means.

const (
	abstractNames   = false
	dualStack       = true
	shortReadDrains = true
	reusePortOption = 0 // package unix has no SO_REUSEPORT

	msgNoSignal     = unix.MSG_NOSIGNAL
	msgDontWait     = unix.MSG_DONTWAIT
	enonet          = syscall.ENONET
	noSigPipeOption = 0

	keepIdleOption     = unix.TCP_KEEPIDLE
	keepIntervalOption = unix.TCP_KEEPINTVL
	keepCountOption    = unix.TCP_KEEPCNT
	keepUnit           = time.Second
)
