package osdriver

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// socketError is an error of Winsock's under the name that it has everywhere else, so
// that errors.Is finds both, and with the words for it that Go has. It is comparable,
// so that all ports share its number.
type socketError struct{ name, winsock syscall.Errno }

func (e socketError) Error() string   { return e.name.Error() }
func (e socketError) Unwrap() []error { return []error{e.name, e.winsock} }

var portableNames = map[syscall.Errno]syscall.Errno{
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
	windows.WSAESHUTDOWN:       syscall.EPIPE, // written to after the end of output
	windows.WSAETIMEDOUT:       syscall.ETIMEDOUT,
	windows.WSAEINVAL:          syscall.EINVAL,
	windows.WSAEPROTONOSUPPORT: syscall.EPROTONOSUPPORT,
}

// portable is an error with the name that it has elsewhere, if it is one of Winsock's.
func portable(err error) error {
	winsock, ok := err.(syscall.Errno)
	if name := portableNames[winsock]; ok && name != 0 {
		return socketError{name, winsock}
	}
	return err
}

func dialError(err error) error {
	if err == windows.WSAECONNREFUSED {
		return refusedError{socketError{syscall.ECONNREFUSED, windows.WSAECONNREFUSED}}
	}
	return portable(err)
}
