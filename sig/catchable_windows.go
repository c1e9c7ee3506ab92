package sig

import "syscall"

// catchable is what a program can ask for: the runtime makes SIGINT of Ctrl-C and
// Ctrl-Break, and SIGTERM of a console that is closed, a log-off and a shutdown.
const catchable Set = 1<<syscall.SIGINT | 1<<syscall.SIGTERM
