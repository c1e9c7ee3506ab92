package reactor

import (
	"math/bits"
	"unsafe"
)

// lazyTable has values by number, such as the machines of a kind by row. Values never move.
// Memory for them is allocated as they are used, a page at a time: the garbage collector
// counts it, and scans it if T has pointers, and there may be room for a million of them.
type lazyTable[T any] struct {
	pages [][]T
	shift uint32 // from a number to its page
	size  int
}

// lazyPage is the size of a page in bytes, unless one value is larger.
const lazyPage = 64 << 10

// newLazyTable returns a table with room for the numbers 0 to size-1; size is at least 1.
func newLazyTable[T any](size int) lazyTable[T] {
	perPage := max(1, lazyPage/max(1, unsafe.Sizeof(*new(T))))
	shift := uint32(bits.Len(uint(perPage)) - 1)
	return lazyTable[T]{pages: make([][]T, (size-1)>>shift+1), shift: shift, size: size}
}

// at returns a value whose page was made.
func (t *lazyTable[T]) at(n uint32) *T {
	return &t.pages[n>>t.shift][n&(1<<t.shift-1)]
}

// make returns a value that may be used for the first time.
func (t *lazyTable[T]) make(n uint32) *T {
	if page := n >> t.shift; t.pages[page] == nil {
		first := int(page << t.shift)
		t.pages[page] = make([]T, min(1<<t.shift, t.size-first))
	}
	return t.at(n)
}
