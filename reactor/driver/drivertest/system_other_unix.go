//go:build unix && !linux

package drivertest

const abstractNames = false

// interruptThreads has no portable way to reach the thread that waits.
func interruptThreads() error { return lack("signal to a thread") }
