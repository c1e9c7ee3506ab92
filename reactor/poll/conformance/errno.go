//go:build !plan9

package conformance

import (
	"errors"
	"syscall"
)

// The failures that the cases expect.
const (
	errRefused  = syscall.ECONNREFUSED
	errReset    = syscall.ECONNRESET
	errPipe     = syscall.EPIPE
	errFiles    = syscall.EMFILE
	errAllFiles = syscall.ENFILE
)

// errnoOf is the system's own name of err, or "".
func errnoOf(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return ""
}
