//go:build !stator_plain

package osdriver

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// reopen opens the file of a descriptor anew, for a description of its own that does not
// block. It does so for pipes and terminals; it is not possible without /proc, without
// permission to open the file, nor if the other end is gone.
//
// Other devices must not be opened anew: that is another thing than the one which is open.
// So it is with the master of a pseudo-terminal.
func reopen(fd int, typ socketType) (int, bool) {
	switch typ {
	case pipeIn, fifoIn, pipeOut, pipeBoth, fifo:
	case device:
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return 0, false // not a terminal
		}
		if _, err := unix.IoctlGetInt(fd, unix.TIOCGPTN); err == nil {
			return 0, false // a master
		}
	default:
		return 0, false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return 0, false
	}
	const kept = unix.O_ACCMODE | unix.O_APPEND | unix.O_DIRECT
	n, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), flags&kept|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	return n, err == nil
}
