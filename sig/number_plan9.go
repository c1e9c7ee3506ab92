package sig

import (
	"fmt"
	"os"
	"syscall"
)

// Plan 9 has notes, which are strings, instead of signals. The notes that package
// syscall calls by the name of a Unix signal have the number of that signal here.

// catchable is the set of signals that Notify accepts.
var catchable = Of(syscall.SIGHUP, syscall.SIGINT, syscall.SIGABRT, syscall.SIGALRM)

// number returns the number of o, or 0 if it has none.
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

// byNumber returns the note with number n.
func byNumber(n int) os.Signal {
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
