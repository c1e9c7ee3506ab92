package reactor

// lazyTable has values by number, such as the machines of a kind by row. Values never move.
// Memory for them is allocated as they are used, a page at a time: the garbage collector
// counts it, and scans it if T has pointers, and there may be room for a million of them.
type lazyTable[T any] struct {
	pages []*[lazyPage]T
}

// lazyPage is how many values are allocated at a time.
const lazyPage = 64

// newLazyTable returns a table with room for the numbers 0 to size-1.
func newLazyTable[T any](size int) lazyTable[T] {
	return lazyTable[T]{make([]*[lazyPage]T, (size+lazyPage-1)/lazyPage)}
}

// at returns a value whose page was made.
func (t *lazyTable[T]) at(n uint32) *T { return &t.pages[n/lazyPage][n%lazyPage] }

// make returns a value that may be used for the first time.
func (t *lazyTable[T]) make(n uint32) *T {
	if page := &t.pages[n/lazyPage]; *page == nil {
		*page = new([lazyPage]T)
	}
	return t.at(n)
}
