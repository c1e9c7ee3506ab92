//go:build race

package osdriver

import (
	"runtime"
	"unsafe"
)

// The race detector does not see what the kernel reads and writes during a raw system
// call: raceRead and raceWrite report it. See the package comment.

func raceRead(b []byte) {
	if len(b) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
}

func raceWrite(b []byte) {
	if len(b) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
}
