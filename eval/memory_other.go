//go:build !linux

package main

// limitMemory is for systems where a limit on addresses is one on memory.
func limitMemory() error { return nil }
