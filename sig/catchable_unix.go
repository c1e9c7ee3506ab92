//go:build unix && !linux

package sig

import "syscall"

// catchable is the set of signals that Notify accepts: the standard signals except
// SIGPROF, which the Go runtime reserves for its profiler. Real-time signals are
// excluded: they start at a different number on each system, and some systems have
// none.
const catchable Set = (1<<32 - 1) &^
	(unknown | 1<<syscall.SIGKILL | 1<<syscall.SIGSTOP | 1<<syscall.SIGPROF)
