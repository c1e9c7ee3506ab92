package main

import (
	"runtime/debug"
	"sync/atomic"
)

// Memory that clients have left goes back to the system. The garbage collector runs when
// memory is allocated, so on a server that has little to do it would not run for minutes.

// dropFrom is after how many bytes of unfinished commands that were dropped freeMemory runs.
const dropFrom = 64 << 20

// drop counts the bytes of an unfinished command whose client has left.
func (s *server) drop(bytes int) {
	if s.dropped += bytes; s.dropped >= dropFrom {
		s.dropped = 0
		freeMemory()
	}
}

var freeing atomic.Bool

// freeMemory collects garbage and gives free memory back, on a goroutine of its own.
func freeMemory() {
	if freeing.CompareAndSwap(false, true) {
		go func() {
			defer freeing.Store(false)
			debug.FreeOSMemory()
		}()
	}
}
