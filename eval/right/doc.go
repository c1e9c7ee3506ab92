// Package right has small programs without bugs, each written as a user of the library
// writes it, with a fuzz.Spec. They measure whether package fuzz accuses programs that
// are right, and they cover what the planted servers do not: proxies, clients that dial
// again, supervisors, several loops, datagrams, pipes, signals, timers, back-pressure.
//
// [Programs] lists them. The test searches each for a moment; for longer, say
//
//	FUZZ_TIME=1m go -C eval test ./right -timeout 1h
//
// A failure is the program's mistake, a false accusation, or a bug of package reactor.
// Each is worth knowing: the first shows what the documentation did not say.
package right
