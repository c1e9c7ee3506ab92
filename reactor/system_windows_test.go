package reactor_test

import (
	"syscall"
	"testing"

	"github.com/stator-go/stator/reactor/driver/drivertest"
)

// narrow sets the size of a socket's receive buffer.
func narrow(fd uintptr, size int) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
}

// wineLacks skips a test that Wine's sockets are not good enough for.
func wineLacks(t testing.TB, what string) {
	t.Helper()
	if drivertest.Wine() {
		t.Skip("Wine lacks " + what)
	}
}
