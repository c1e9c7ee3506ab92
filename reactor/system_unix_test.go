//go:build unix

package reactor_test

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor"
)

// narrow sets the size of a socket's receive buffer.
func narrow(fd uintptr, size int) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
}

// socketPair is a pair of unix sockets that do not block.
func socketPair(t testing.TB, kind int) [2]int {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
	if err == unix.EPROTONOSUPPORT || err == unix.EPROTOTYPE {
		t.Skipf("the system has no such sockets: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	return fds
}

// unsupported skips a test of what the system does not have, if the error says so.
func unsupported(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, reactor.ErrUnsupported) {
		t.Skip(err)
	}
}

// wineLacks skips a test that Wine's sockets are not good enough for.
func wineLacks(testing.TB, string) {}
