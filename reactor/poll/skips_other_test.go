//go:build !windows

package poll_test

import "runtime"

// publishes is the name of this system where its table is published, else empty.
func publishes() string {
	if runtime.GOOS == "linux" {
		return "Linux"
	}
	return ""
}

func skips() map[int]string { return nil }
