package pages

import (
	"os"
	"syscall"
	"unsafe"
)

// Discard returns the pages behind s to the kernel, which supplies zero pages
// when they are next used. The elements of s must all be zero: Discard is for fresh
// allocations.
//
// If a single page of an allocation was used before, the allocator clears, and so
// touches, all of them; Discard undoes that. The first and the last page are kept
// if s covers them only in part, as they may hold other objects. The call is advice
// to the kernel: if the kernel refuses it, the elements are still zero.
func Discard[T any](s []T) {
	if len(s) == 0 {
		return
	}
	page := uintptr(os.Getpagesize())
	size := uintptr(len(s)) * unsafe.Sizeof(s[0])
	base := unsafe.Pointer(unsafe.SliceData(s))
	skip := -uintptr(base) & (page - 1) // to the first page boundary
	if size < skip+page {
		return
	}
	whole := unsafe.Slice((*byte)(unsafe.Add(base, skip)), (size-skip)&^(page-1))
	_ = syscall.Madvise(whole, syscall.MADV_DONTNEED)
}
