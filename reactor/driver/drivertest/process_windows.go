package drivertest

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Process is the part of a System that is the process's, however its sockets are
// reached: embed it in the place of [Lacking].
type Process struct {
	Lacking
	door     File // the listener of pairs
	doorAddr string
}

var handleCount = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetProcessHandleCount")

// Descriptors is the number of handles, of whatever kind.
func (*Process) Descriptors() (int, error) {
	var n uint32
	if ok, _, err := handleCount.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&n))); ok == 0 {
		return 0, os.NewSyscallError("GetProcessHandleCount", err)
	}
	return int(n), nil
}

// PairOf is a System's Pair, over a listener that stays open as long as the System,
// so that what a pair leaves free is what the next one takes.
func (p *Process) PairOf(s System, network string) (a, b File, err error) {
	if network != "tcp" {
		return 0, 0, lack(network + " socket")
	}
	if p.doorAddr == "" {
		if p.door, p.doorAddr, err = s.Listen("tcp", "127.0.0.1:0"); err != nil {
			return 0, 0, err
		}
	}
	if a, err = s.Dial("tcp", p.doorAddr); err != nil {
		return 0, 0, err
	}
	for {
		if b, err = s.Accept(p.door); !errors.Is(err, ErrWouldBlock) {
			return a, b, err
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// answers are Winsock's errors by the names that the cases use.
var answers = map[syscall.Errno]error{
	windows.WSAEWOULDBLOCK:  ErrWouldBlock,
	windows.WSAECONNREFUSED: syscall.ECONNREFUSED,
	windows.WSAECONNRESET:   syscall.ECONNRESET,
	windows.WSAECONNABORTED: syscall.ECONNRESET, // the connection's end, noticed by this side
	windows.WSAESHUTDOWN:    syscall.EPIPE,
	windows.WSAEMFILE:       syscall.EMFILE,
}

// Answered is an error with the name that the cases know it by, if they do. A
// datagram that nobody took resets nothing: it was refused.
func Answered(err error, datagram bool) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err
	}
	named := answers[errno]
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
