package timerwheel

import (
	"os"
	"syscall"
	"unsafe"
)

// untouch gives the pages of a zero slice back to the kernel, which supplies
// zero pages again when they are used. Nothing is to be gained when the memory
// came fresh from the kernel; but when a single page of it did not, the
// allocator has cleared, and so touched, all of it. Only whole pages go, since
// the allocator may keep other objects on the first and the last one. The
// call is advice: should the kernel refuse it, the slice is still zero.
func untouch[T any](s []T) {
	page := uintptr(os.Getpagesize())
	size := uintptr(len(s)) * unsafe.Sizeof(s[0])
	base := unsafe.Pointer(unsafe.SliceData(s))
	skip := -uintptr(base) & (page - 1) // to the first page's start
	if size < skip+page {
		return
	}
	whole := unsafe.Slice((*byte)(unsafe.Add(base, skip)), (size-skip)&^(page-1))
	_ = syscall.Madvise(whole, syscall.MADV_DONTNEED)
}
