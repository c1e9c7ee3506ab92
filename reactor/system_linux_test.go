package reactor_test

import (
	"syscall"
	"testing"
)

// narrow sets the size of a socket's receive buffer.
func narrow(fd uintptr, size int) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
}

// wineLacks skips a test that Wine's sockets are not good enough for.
func wineLacks(testing.TB, string) {}
