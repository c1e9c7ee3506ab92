//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: what is left of a process is counted in /proc, which needs Linux")
	os.Exit(1)
}
