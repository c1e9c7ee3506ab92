// Soak runs two loops under a mixed load for a long time, checks every reply, and then that
// nothing is left: no machine, no descriptor, no goroutine, no memory.
//
//	go -C bench run ./soak            one minute
//	go -C bench run ./soak -for 1h    an hour
//	go -C bench run ./soak -h         the flags
//
// The load comes from goroutines over package net in the same process. Each role of the
// table in roles_linux.go is one kind of load, and all of them run at once, each at its own
// pace: well-behaved clients, whose latency is printed, beside clients that reset, that are
// silent, that do not read, or that do not stop writing; and beside what a program does
// inside: messages, timers, monitors, panics, dials, listeners that come and go.
//
// A short round comes first, so that everything that is made once is there. What the process
// has then is compared with what it has after the long round. The exit status is 1 if
// anything is left or was wrong, and the list of that is the last thing printed.
//
// It takes at most one core at -rate 1, some 3,000 descriptors and 300 MB.
package main
