package poll

import (
	"encoding/binary"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// backends are those of Linux, the best one first.
var backends = []struct {
	name string
	make func(*wakers) (backend, error)
}{
	{"epoll", newEpoll},
}

// ringEventfd adds one to an eventfd. A counter that is full, after 2⁶⁴-2
// wakes, is emptied first. The system calls are raw: they cannot block.
func ringEventfd(fd int) error {
	var count [8]byte
	for {
		binary.NativeEndian.PutUint64(count[:], 1)
		_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&count)), 8)
		switch errno {
		case 0:
			return nil
		case unix.EAGAIN:
			syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&count)), 8)
		case unix.EINTR:
		default:
			return os.NewSyscallError("write", errno)
		}
	}
}
