package main

import "syscall"

// mostMemory is how much this process and each that it starts may have, in bytes: a bug
// that writes without end is to end itself, and nobody else.
const mostMemory = 4 << 30

func limitMemory() error {
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: mostMemory, Max: mostMemory})
}
