package pages

import (
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// minMapped is the size from which Alloc leaves the Go heap. A mapping of its own has
// at least a page.
const minMapped = 64 << 10

// mapped is how many bytes Alloc has mapped that are not freed.
var mapped atomic.Int64

// Mapped returns how many bytes of address space outside of the Go heap tables have
// now. It is for tests.
func Mapped() int64 { return mapped.Load() }

// Alloc returns a slice of n zero elements. If it is large, and the system has such
// memory, it lies outside of the Go heap: the garbage collector does not see it. It
// panics if T contains pointers.
//
// The memory is freed when owner is unreachable, even if the slice is in use: code that
// uses it must reach owner. A slice in a field of owner, which only methods of owner
// use, is safe.
//
// In a program that is built with the race detector all of the memory is in the Go
// heap, as the detector looks at nothing else.
func Alloc[O, T any](owner *O, n int) []T {
	if t := reflect.TypeFor[T](); hasPointers(t) {
		panic(fmt.Sprintf("pages: Alloc of %v, which has pointers", t))
	}
	size := uintptr(n) * unsafe.Sizeof(*new(T))
	if size < minMapped {
		return make([]T, n)
	}
	var b []byte
	if !raceEnabled {
		b = mapPages(size)
	}
	if b == nil {
		s := make([]T, n)
		Discard(s)
		return s
	}
	mapped.Add(int64(len(b)))
	runtime.AddCleanup(owner, func(b []byte) {
		mapped.Add(-int64(len(b)))
		unmapPages(b)
	}, b)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// hasPointers reports whether values of a type have something for the garbage collector
// to follow.
func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.String, reflect.UnsafePointer:
		return true
	}
	return false
}
