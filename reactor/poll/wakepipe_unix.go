//go:build unix

package poll

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// wakePipe is a pipe that ends a wait, for backends whose kernel has nothing better. The
// wait includes the reading end, and wake writes a byte. One pipe serves all Wakers:
// after a wake, the wait checks each of them.
type wakePipe struct {
	read, write int
	// Buffers of wake and drain. They are fields because the race detector's hooks would
	// make local variables escape.
	out [1]byte
	in  [64]byte
}

// open opens the pipe. Its ends are nonblocking and are not inherited by children.
func (p *wakePipe) open() error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	p.read, p.write = fds[0], fds[1]
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			p.close()
			return os.NewSyscallError("fcntl", err)
		}
	}
	return nil
}

func (p *wakePipe) close() error {
	unix.Close(p.read)
	return unix.Close(p.write)
}

// wake makes the pipe readable. If the pipe is full, it is readable already.
func (p *wakePipe) wake() error {
	for {
		_, err := unix.Write(p.write, p.out[:])
		if err == nil || err == unix.EAGAIN {
			return nil
		}
		if err != unix.EINTR {
			return os.NewSyscallError("write", err)
		}
	}
}

// drain empties the pipe.
func (p *wakePipe) drain() {
	for {
		n, err := unix.Read(p.read, p.in[:])
		if err == unix.EINTR || n == len(p.in) {
			continue
		}
		return
	}
}
