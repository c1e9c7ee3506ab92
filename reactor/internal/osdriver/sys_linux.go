package osdriver

import (
	"syscall"
	"time"

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

	msgNoSignal     = unix.MSG_NOSIGNAL // flag of a send: no SIGPIPE
	msgDontWait     = unix.MSG_DONTWAIT // flag of a call: no blocking
	enonet          = syscall.ENONET    // an error of earlier datagrams that not every system has
	noSigPipeOption = 0                 // socket option for no SIGPIPE where msgNoSignal is 0; else 0

	// Options of TCP for keepalive, in keepUnit; 0 where a socket has none of its own.
	keepIdleOption     = unix.TCP_KEEPIDLE
	keepIntervalOption = unix.TCP_KEEPINTVL
	keepCountOption    = unix.TCP_KEEPCNT
	keepUnit           = time.Second
)
