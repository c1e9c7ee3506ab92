package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What Solaris and illumos have: see have_linux.go for what each means.

const (
	abstractNames  = false
	takesIPv4      = true
	shortIsDrained = true
	spreads        = 0 // package unix has no SO_REUSEPORT

	noSignal  = unix.MSG_NOSIGNAL
	dontWait  = unix.MSG_DONTWAIT
	errNoNet  = syscall.ENONET
	noSigPipe = 0
)
