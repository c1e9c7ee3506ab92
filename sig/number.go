//go:build !plan9

package sig

import (
	"os"
	"syscall"
)

// number returns the number of o, or 0 if that is not within 1 to 63.
func number(o os.Signal) uint {
	n, ok := o.(syscall.Signal)
	if !ok || n < 1 || n > 63 {
		return 0
	}
	return uint(n)
}

// byNumber returns the signal with number n, 1 to 63.
func byNumber(n int) os.Signal {
	return syscall.Signal(n)
}
