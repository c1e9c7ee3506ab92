package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What AIX has: see have_linux.go for what each means.

const (
	abstractNames  = false
	takesIPv4      = true
	shortIsDrained = true
	spreads        = 0 // SO_REUSEPORT lets one of the listeners have all

	noSignal  = unix.MSG_NOSIGNAL
	dontWait  = unix.MSG_NONBLOCK
	errNoNet  = syscall.Errno(1 << 20) // there is no such error
	noSigPipe = 0
)
