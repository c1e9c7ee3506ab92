//go:build unix && !linux

package drivertest

const abstractNames = false

// interruptThreads is not supported: there is no portable way to signal a thread.
func interruptThreads() error { return lack("signal to a thread") }
