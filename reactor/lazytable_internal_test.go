package reactor

import "testing"

// Each value has a place of its own, which stays.
func TestLazyTable(t *testing.T) {
	for _, size := range []int{1, 2, lazyPage - 1, lazyPage, lazyPage + 1, 3 * lazyPage} {
		x := newLazyTable[[3]uint32](size)
		places := map[uint32]*[3]uint32{}
		for n := uint32(size); n > 0; n-- {
			places[n-1] = x.make(n - 1)
			places[n-1][2] = n
		}
		for n := range uint32(size) {
			if v := x.at(n); v != places[n] || x.make(n) != v || v[2] != n+1 {
				t.Fatalf("value %d of %d: got it moved or changed, want neither", n, size)
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
		if page != nil {
			made++
		}
	}
	if made != 2 {
		t.Errorf("got %d pages, want 2", made)
	}
}
