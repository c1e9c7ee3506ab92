package reactor_test

import (
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// narrow sets the size of a socket's receive buffer.
func narrow(fd uintptr, size int) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
}

// wine tells whether this is not Windows but Wine.
func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// wineLacks skips a test that Wine's sockets are not good enough for.
func wineLacks(t testing.TB, what string) {
	t.Helper()
	if wine() {
		t.Skip("Wine lacks " + what)
	}
}
