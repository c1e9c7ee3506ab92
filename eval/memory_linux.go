package main

import "syscall"

// mostMemory limits the address space of this process and of each that it starts, in
// bytes, so that a bug that allocates without bound ends only its own process.
const mostMemory = 4 << 30

// limitMemory sets that limit.
func limitMemory() error {
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: mostMemory, Max: mostMemory})
}
