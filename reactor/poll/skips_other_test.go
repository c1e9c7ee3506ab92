//go:build !windows

package poll_test

import "runtime"

// publishes returns the name of this system in the package comment, or "" if the comment
// has no table for it.
func publishes() string {
	if runtime.GOOS == "linux" {
		return "Linux"
	}
	return ""
}

func skips() map[int]string { return nil }
