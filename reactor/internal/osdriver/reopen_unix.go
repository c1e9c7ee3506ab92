//go:build unix && (!linux || stator_plain)

package osdriver

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reopen opens a terminal anew by its name, for a description of its own that does not
// block. A pipe has no name, and other devices must not be opened anew: that is another
// thing than the one which is open.
func reopen(fd int, typ socketType) (int, bool) {
	if typ != device {
		return 0, false
	}
	name := terminalName(fd)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || name == "" {
		return 0, false
	}
	n, err := unix.Open(name, flags&unix.O_ACCMODE|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	return n, err == nil
}

// terminalName returns the name of a terminal, or "". The master of a pseudo-terminal has
// none of these names.
func terminalName(fd int) string {
	var of, st unix.Stat_t
	if err := unix.Fstat(fd, &of); err != nil {
		return ""
	}
	for _, pattern := range []string{"/dev/pts/[0-9]*", "/dev/tty*"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			if unix.Stat(name, &st) == nil && uint32(st.Mode)&unix.S_IFMT == unix.S_IFCHR && st.Rdev == of.Rdev {
				return name
			}
		}
	}
	return ""
}
