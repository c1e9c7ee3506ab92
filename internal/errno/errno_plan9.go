package errno

import "errors"

// The errors, for use with errors.Is.
var (
	EADDRINUSE   = errors.New("address already in use")
	EBADF        = errors.New("bad file descriptor")
	ECONNABORTED = errors.New("software caused connection abort")
	ECONNREFUSED = errors.New("connection refused")
	ECONNRESET   = errors.New("connection reset by peer")
	EDESTADDRREQ = errors.New("destination address required")
	EMFILE       = errors.New("too many open files")
	ENFILE       = errors.New("too many open files in system")
	ENOBUFS      = errors.New("no buffer space available")
	ENOMEM       = errors.New("cannot allocate memory")
	ENOTCONN     = errors.New("transport endpoint is not connected")
	ENOTSUP      = errors.New("operation not supported")
	EPIPE        = errors.New("broken pipe")
	EPROTO       = errors.New("protocol error")
)

// Text returns "": Plan 9 has no syscall.Errno.
func Text(error) string { return "" }
