package reactor

import "testing"

// Tables of sizes around a page's: each value has a place of its own, which stays.
func TestLazyTable(t *testing.T) {
	testLazyTable(t, func(n uint32) uint32 { return n })
	testLazyTable(t, func(n uint32) (v [lazyPage + 1]uint32) { v[lazyPage] = n; return v })
	testLazyTable(t, func(n uint32) (v struct {
		s string
		n [3]uint32
	}) {
		v.n[2] = n
		return v
	})
}

func testLazyTable[T comparable](t *testing.T, value func(uint32) T) {
	one := newLazyTable[T](1)
	perPage := 1 << one.shift
	for _, size := range []int{1, 2, perPage - 1, perPage, perPage + 1, 2 * perPage, 2*perPage + 1} {
		if size < 1 || size > 1<<16 {
			continue
		}
		x := newLazyTable[T](size)
		places := map[uint32]*T{}
		for n := uint32(size); n > 0; n-- {
			places[n-1] = x.make(n - 1)
			*places[n-1] = value(n)
		}
		total := 0
		for _, page := range x.pages {
			total += len(page)
		}
		if total != size {
			t.Errorf("a table for %d values has %d", size, total)
		}
		for n := range uint32(size) {
			if x.at(n) != places[n] || x.make(n) != places[n] || *x.at(n) != value(n+1) {
				t.Fatalf("value %d of %d moved, or changed", n, size)
			}
		}
	}
}

func TestLazyTableIsMadeAsUsed(t *testing.T) {
	x := newLazyTable[[64]byte](1 << 20)
	x.make(1<<20 - 1)
	x.make(5)
	made := 0
	for _, page := range x.pages {
		made += len(page)
	}
	if made != 2*lazyPage/64 {
		t.Errorf("%d values are made, of two pages", made)
	}
}
