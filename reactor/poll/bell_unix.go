//go:build unix

package poll

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// bell is a pipe that ends a wait: a backend whose kernel has nothing better
// waits for its reading end, and whoever has news puts a byte in. One bell serves
// all Wakers, as who hears it asks each of them.
type bell struct {
	read, write int
	stroke      [1]byte  // what toll writes
	scrap       [64]byte // what hush reads: fields, as the race detector's hooks make locals escape
}

// open opens the pipe, of which neither end blocks nor is inherited.
func (b *bell) open() error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	b.read, b.write = fds[0], fds[1]
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			b.close()
			return os.NewSyscallError("fcntl", err)
		}
	}
	return nil
}

func (b *bell) close() error {
	unix.Close(b.read)
	return unix.Close(b.write)
}

// toll puts a byte into the bell. A full one rings already.
func (b *bell) toll() error {
	for {
		_, err := unix.Write(b.write, b.stroke[:])
		if err == nil || err == unix.EAGAIN {
			return nil
		}
		if err != unix.EINTR {
			return os.NewSyscallError("write", err)
		}
	}
}

// hush empties the bell.
func (b *bell) hush() {
	for {
		n, err := unix.Read(b.read, b.scrap[:])
		if err == unix.EINTR || n == len(b.scrap) {
			continue
		}
		return
	}
}
