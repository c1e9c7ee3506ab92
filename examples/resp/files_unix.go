//go:build unix

package main

import (
	"math"
	"syscall"
)

// openFiles is how many descriptors the process may have. (Go raises the soft
// limit to the hard one at the start.)
func openFiles() (n int, known bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	return int(min(uint64(r.Cur), math.MaxInt)), true
}
