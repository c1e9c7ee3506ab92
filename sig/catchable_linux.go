package sig

import "syscall"

// catchable is what a program can ask for. The Go runtime keeps SIGPROF for its
// profiler, and the C library 32 to 34 for its threads.
const catchable = ^(unknown | 1<<syscall.SIGKILL | 1<<syscall.SIGSTOP | 1<<syscall.SIGPROF |
	1<<32 | 1<<33 | 1<<34)
