package pagestest

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"
)

// Run runs f twice: with a heap whose large allocations come fresh from the kernel,
// and with a heap that has 128 MiB of used memory to recycle.
func Run(t *testing.T, f func(*testing.T)) {
	t.Run("fresh", f)
	dirty()
	runtime.GC()
	t.Run("recycled", f)
}

// dirty writes to 128 MiB and leaves them to the garbage collector.
func dirty() {
	b := make([]byte, 128<<20)
	for i := range b {
		b[i] = 1
	}
}

// Resident returns how many bytes of s are in memory, according to mincore(2). A
// page that s covers only at its start is not counted, as s shares it.
func Resident[T any](t testing.TB, s []T) (bytes int) {
	t.Helper()
	page := os.Getpagesize()
	start := unsafe.Pointer(unsafe.SliceData(s))
	size := len(s) * int(unsafe.Sizeof(s[0]))
	skip := int(-uintptr(start) & uintptr(page-1)) // to the first page boundary
	size -= skip
	resident := make([]byte, (size+page-1)/page)
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE,
		uintptr(unsafe.Add(start, skip)), uintptr(size), uintptr(unsafe.Pointer(&resident[0])))
	if errno != 0 {
		t.Fatalf("mincore: %v", errno)
	}
	for _, r := range resident {
		bytes += int(r&1) * page
	}
	return bytes
}
