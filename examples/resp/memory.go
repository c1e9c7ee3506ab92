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

// freesAsked counts the calls of freeMemory that its goroutine has not served yet.
var freesAsked atomic.Int32

// freeMemory collects garbage and gives free memory back, on a goroutine of its own. A
// collection that runs already may miss what has just become garbage, so another follows it.
func freeMemory() {
	if freesAsked.Add(1) > 1 {
		return
	}
	go func() {
		for asked := freesAsked.Load(); asked > 0; asked = freesAsked.Add(-asked) {
			debug.FreeOSMemory()
		}
	}()
}
