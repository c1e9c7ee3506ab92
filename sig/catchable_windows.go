package sig

import "syscall"

// catchable is the set of signals that Notify accepts. The Go runtime turns Ctrl-C and
// Ctrl-Break into SIGINT; it turns the closing of the console, a log-off and a
// shutdown into SIGTERM.
const catchable Set = 1<<syscall.SIGINT | 1<<syscall.SIGTERM
