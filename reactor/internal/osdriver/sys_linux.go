package osdriver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What Linux has. The comments hold for sys_GOOS.go of all Unixes.

const (
	// abstractNames says whether unix sockets can have names, "@name", that are not
	// paths.
	abstractNames = true
	// dualStack says whether a socket that is bound to the wildcard address of IPv6 can
	// accept IPv4.
	dualStack = true
	// shortReadDrains says whether a short read of TCP proves that nothing is left. An
	// urgent byte may have ended the read. The system has to have an event for that, with
	// Priority; or its poller is not edge-triggered, and looks again when it is re-armed.
	shortReadDrains = true
	// reusePortOption is the socket option with which listeners share an address so that
	// the system spreads connections over them, or 0.
	reusePortOption = unix.SO_REUSEPORT

	// msgNoSignal and msgDontWait are flags of a call: no SIGPIPE, no blocking.
	msgNoSignal = unix.MSG_NOSIGNAL
	msgDontWait = unix.MSG_DONTWAIT
	// enonet is an error of an earlier datagram that not every system has.
	enonet = syscall.ENONET
	// noSigPipeOption is the socket option for no SIGPIPE where there is no msgNoSignal,
	// or 0.
	noSigPipeOption = 0
)
