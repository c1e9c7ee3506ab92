//go:build !plan9

package sig

import (
	"os"
	"syscall"
)

// number is the signal's number, or 0 if it has none from 1 to 63.
func number(o os.Signal) uint {
	n, ok := o.(syscall.Signal)
	if !ok || n < 1 || n > 63 {
		return 0
	}
	return uint(n)
}

// numbered is the signal of a number from 1 to 63.
func numbered(n int) os.Signal {
	return syscall.Signal(n)
}
