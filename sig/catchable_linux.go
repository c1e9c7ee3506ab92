package sig

import "syscall"

// catchable is the set of signals that Notify accepts. The Go runtime reserves
// SIGPROF for its profiler, the C library reserves 32 to 34 for its threads.
const catchable = ^(unknown | 1<<syscall.SIGKILL | 1<<syscall.SIGSTOP | 1<<syscall.SIGPROF |
	1<<32 | 1<<33 | 1<<34)
