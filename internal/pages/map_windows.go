package pages

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapPages returns zeroed memory of the system's, or nil if there is none.
func mapPages(size uintptr) []byte {
	addr, err := windows.VirtualAlloc(0, size, windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), size) // not in Go's heap, so the address may be an integer
}

func unmapPages(b []byte) {
	_ = windows.VirtualFree(uintptr(unsafe.Pointer(unsafe.SliceData(b))), 0, windows.MEM_RELEASE)
}
