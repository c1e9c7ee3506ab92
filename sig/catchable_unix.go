//go:build unix && !linux

package sig

import "syscall"

// catchable is what a program can ask for: the standard signals, but for SIGPROF,
// which the Go runtime keeps for its profiler. Real-time signals begin at a
// different number on each system, and some have none.
const catchable Set = (1<<32 - 1) &^
	(unknown | 1<<syscall.SIGKILL | 1<<syscall.SIGSTOP | 1<<syscall.SIGPROF)
