package drivertest

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Process implements the methods of a System that concern the process and not a kind of
// socket. Embed it instead of [Unimplemented].
type Process struct {
	Unimplemented
	listener File // of PairOf
	addr     string
}

var handleCount = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetProcessHandleCount")

// Descriptors returns the number of handles of all kinds.
func (*Process) Descriptors() (int, error) {
	var n uint32
	if ok, _, err := handleCount.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&n))); ok == 0 {
		return 0, os.NewSyscallError("GetProcessHandleCount", err)
	}
	return int(n), nil
}

// PairOf implements System.Pair with a listener that stays open as long as the System, so
// that a new pair gets the handles that were closed last.
func (p *Process) PairOf(s System, network string) (a, b File, err error) {
	if network != "tcp" {
		return 0, 0, lack(network + " socket")
	}
	if p.addr == "" {
		if p.listener, p.addr, err = s.Listen("tcp", "127.0.0.1:0"); err != nil {
			return 0, 0, err
		}
	}
	if a, err = s.Dial("tcp", p.addr); err != nil {
		return 0, 0, err
	}
	for {
		if b, err = s.Accept(p.listener); !errors.Is(err, ErrWouldBlock) {
			return a, b, err
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// unixErrors maps errors of Winsock to those that the cases expect.
var unixErrors = map[syscall.Errno]error{
	windows.WSAEWOULDBLOCK:  ErrWouldBlock,
	windows.WSAECONNREFUSED: syscall.ECONNREFUSED,
	windows.WSAECONNRESET:   syscall.ECONNRESET,
	windows.WSAECONNABORTED: syscall.ECONNRESET, // the connection was ended by this side
	windows.WSAESHUTDOWN:    syscall.EPIPE,
	windows.WSAEMFILE:       syscall.EMFILE,
}

// UnixError returns err joined with the error that the cases expect for it, if there is one.
// For a datagram socket, a reset means that a datagram was refused.
func UnixError(err error, datagram bool) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	named := unixErrors[errno]
	if datagram && errno == windows.WSAECONNRESET {
		named = syscall.ECONNREFUSED
	}
	switch {
	case named == ErrWouldBlock:
		return named
	case named != nil:
		return errors.Join(named, err)
	}
	return err
}

// Wine reports whether this is Wine, and not Windows. Wine's sockets lack some things.
func Wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
