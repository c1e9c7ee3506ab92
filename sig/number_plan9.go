package sig

import (
	"fmt"
	"os"
	"syscall"
)

// Plan 9 has notes, which are strings, in place of signals. Those that os/signal
// knows by a Unix name get that name's number.

// catchable is what a program can ask for.
var catchable = Of(syscall.SIGHUP, syscall.SIGINT, syscall.SIGABRT, syscall.SIGALRM)

// number is the number of a note, or 0 if it has none.
func number(o os.Signal) uint {
	switch o {
	case syscall.SIGHUP:
		return 1
	case syscall.SIGINT: // SIGTERM is the same note
		return 2
	case syscall.SIGABRT:
		return 6
	case syscall.SIGKILL:
		return 9
	case syscall.SIGALRM:
		return 14
	}
	return 0
}

// numbered is the note of a number.
func numbered(n int) os.Signal {
	switch n {
	case 1:
		return syscall.SIGHUP
	case 2:
		return syscall.SIGINT
	case 6:
		return syscall.SIGABRT
	case 9:
		return syscall.SIGKILL
	case 14:
		return syscall.SIGALRM
	}
	return syscall.Note(fmt.Sprintf("signal %d", n))
}
