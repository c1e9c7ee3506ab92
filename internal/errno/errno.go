//go:build !plan9

// Package errno has the errors of system calls by their Unix names on every platform.
// Package syscall does not have them on Plan 9, where errors are strings; there they
// are values of this package that no system call returns.
package errno

import (
	"errors"
	"syscall"
)

// The errors, for use with errors.Is.
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

// Text returns the system's description of the syscall.Errno that err wraps, or "" if
// err wraps none.
func Text(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return ""
}
