//go:build unix

package drivertest

import (
	"time"

	"golang.org/x/sys/unix"
)

// Process implements the methods of a System that concern the process and not a kind of
// descriptor. Embed it instead of [Unimplemented].
type Process struct{ Unimplemented }

// Descriptors tries each number, as no list of open descriptors exists on every Unix.
func (Process) Descriptors() (n int, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	for fd := range int(min(limit.Cur, 1<<16)) {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n, nil
}

// Exhaust lowers the limit of descriptors and opens as many.
func (Process) Exhaust() (restore func(), err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	low := limit
	low.Cur = min(low.Cur, 256)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		return nil, err
	}
	var taken []int
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	return func() {
		unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
		for _, fd := range taken {
			unix.Close(fd)
		}
	}, nil
}

// Pair implements System.Pair, with a listener of s for TCP, and otherwise with socketpair(2)
// and take, which makes Files of its descriptors.
func Pair(s System, network string, take func(fds [2]int) (a, b File, err error)) (a, b File, err error) {
	if network == "tcp" {
		l, addr, err := s.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, err
		}
		defer s.Close(l)
		if a, err = s.Dial("tcp", addr); err != nil {
			return 0, 0, err
		}
		for {
			if b, err = s.Accept(l); err != ErrWouldBlock {
				return a, b, err
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
	kind := unix.SOCK_STREAM
	if network == "unixgram" {
		kind = unix.SOCK_DGRAM
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
	if err != nil {
		return 0, 0, err
	}
	return take(fds)
}
