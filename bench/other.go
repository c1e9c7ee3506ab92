//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it compares with an epoll server: want Linux")
	os.Exit(1)
}
