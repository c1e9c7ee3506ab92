package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What a system has, and for the driver of every Unix, what that means: have_GOOS.go has
// the others' answers.

const (
	abstractNames  = true              // unix sockets have names, "@name", that are no files
	takesIPv4      = true              // a socket of every IPv6 address may take connections of IPv4
	shortIsDrained = true              // what ends a read of TCP early was told as Priority, or the poller looks again: see came
	spreads        = unix.SO_REUSEPORT // the option by which listeners share an address, and connections spread over them; 0: none

	noSignal  = unix.MSG_NOSIGNAL // a send's flag: a peer that is gone is no signal
	dontWait  = unix.MSG_DONTWAIT
	errNoNet  = syscall.ENONET
	noSigPipe = 0 // the option for that of a socket; 0: none, or not needed
)
