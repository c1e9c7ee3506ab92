package osdriver

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// winsockError is an error of Winsock, with its portable name: errors.Is finds both, and the
// text is Go's. It is comparable, so that the loop keeps equal errors of many ports once.
type winsockError struct{ name, winsock syscall.Errno }

func (e winsockError) Error() string   { return e.name.Error() }
func (e winsockError) Unwrap() []error { return []error{e.name, e.winsock} }

// posixErrors has the portable names of Winsock's errors.
var posixErrors = map[syscall.Errno]syscall.Errno{
	windows.WSAEACCES:          syscall.EACCES,
	windows.WSAEADDRINUSE:      syscall.EADDRINUSE,
	windows.WSAEADDRNOTAVAIL:   syscall.EADDRNOTAVAIL,
	windows.WSAEAFNOSUPPORT:    syscall.EAFNOSUPPORT,
	windows.WSAECONNABORTED:    syscall.ECONNABORTED,
	windows.WSAECONNREFUSED:    syscall.ECONNREFUSED,
	windows.WSAECONNRESET:      syscall.ECONNRESET,
	windows.WSAEHOSTUNREACH:    syscall.EHOSTUNREACH,
	windows.WSAEMFILE:          syscall.EMFILE,
	windows.WSAEMSGSIZE:        syscall.EMSGSIZE,
	windows.WSAENETUNREACH:     syscall.ENETUNREACH,
	windows.WSAENOBUFS:         syscall.ENOBUFS,
	windows.WSAENOTCONN:        syscall.ENOTCONN,
	windows.WSAENOTSOCK:        syscall.ENOTSOCK,
	windows.WSAENETRESET:       syscall.ENETRESET,
	windows.WSAESHUTDOWN:       syscall.EPIPE, // a write after the end of output
	windows.WSAETIMEDOUT:       syscall.ETIMEDOUT,
	windows.WSAEINVAL:          syscall.EINVAL,
	windows.WSAEPROTONOSUPPORT: syscall.EPROTONOSUPPORT,
}

// portableError returns an error with its portable name, if it is one of Winsock's.
func portableError(err error) error {
	winsock, ok := err.(syscall.Errno)
	if name := posixErrors[winsock]; ok && name != 0 {
		return winsockError{name, winsock}
	}
	return err
}

// connectError marks an error of connect as ErrRefused if nothing listens there.
func connectError(err error) error {
	if err == windows.WSAECONNREFUSED {
		return refusedError{winsockError{syscall.ECONNREFUSED, windows.WSAECONNREFUSED}}
	}
	return portableError(err)
}
