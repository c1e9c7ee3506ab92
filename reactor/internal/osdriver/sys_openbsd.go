package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What OpenBSD has: see have_linux.go for what each means.

const (
	abstractNames  = false
	takesIPv4      = false
	shortIsDrained = true
	spreads        = 0 // SO_REUSEPORT lets one of the listeners have all

	noSignal  = unix.MSG_NOSIGNAL
	dontWait  = unix.MSG_DONTWAIT
	errNoNet  = syscall.Errno(1 << 20) // there is no such error
	noSigPipe = 0
)
