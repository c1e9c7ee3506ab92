package pages

import (
	"os"
	"syscall"
	"unsafe"
)

// Discard returns the pages behind s to the kernel, which supplies zero pages
// when they are next used. It is for fresh allocations, whose elements are all zero, and
// for what is not needed any more. The elements must have no pointers unless they are zero.
//
// If a single page of an allocation was used before, the allocator clears, and so
// touches, all of them; Discard undoes that. The first and the last page are kept
// if s covers them only in part, as they may hold other objects. The call is advice
// to the kernel, which may refuse it: elements that were not zero may stay as they were.
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
