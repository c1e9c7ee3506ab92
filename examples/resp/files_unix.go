//go:build unix

package main

import (
	"math"
	"syscall"
)

// openFiles returns how many files the process may have open. (Go's runtime raises the
// soft limit to the hard one when the process starts.)
func openFiles() (n int, known bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	return int(min(uint64(r.Cur), math.MaxInt)), true
}
