//go:build !plan9

// Package errno has the system's errors by the names that Unix gave them, on
// every platform: package syscall lacks them on Plan 9, whose errors are texts.
// There they are texts of this package's, which no system call answers.
package errno

import (
	"errors"
	"syscall"
)

// The errors, as errors.Is finds them.
const (
	EADDRINUSE   = syscall.EADDRINUSE
	EBADF        = syscall.EBADF
	ECONNABORTED = syscall.ECONNABORTED
	ECONNREFUSED = syscall.ECONNREFUSED
	ECONNRESET   = syscall.ECONNRESET
	EDESTADDRREQ = syscall.EDESTADDRREQ
	EMFILE       = syscall.EMFILE
	ENFILE       = syscall.ENFILE
	ENOBUFS      = syscall.ENOBUFS
	ENOMEM       = syscall.ENOMEM
	ENOTCONN     = syscall.ENOTCONN
	ENOTSUP      = syscall.ENOTSUP
	EPIPE        = syscall.EPIPE
	EPROTO       = syscall.EPROTO
)

// Text is what the system says of err, or "" if it is not the system's.
func Text(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return ""
}
