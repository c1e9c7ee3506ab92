//go:build unix

package pages

import "golang.org/x/sys/unix"

// mapPages returns zeroed memory of the system's, or nil if there is none.
func mapPages(size uintptr) []byte {
	b, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return b
}

func unmapPages(b []byte) { _ = unix.Munmap(b) }
