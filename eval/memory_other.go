//go:build !linux

package main

// limitMemory does nothing: only on Linux does it limit the address space.
func limitMemory() error { return nil }
