package reactor

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// Random additions and removals beside a map, for sizes around the powers of two.
func TestIndexModel(t *testing.T) {
	for _, size := range []int{1, 2, 3, 63, 64, 65} {
		var x index
		if x.first(7) != 0 {
			t.Error("got an entry in the zero index, want none")
		}
		l := new(Loop)
		x.make(l, size)
		keys := make([][2]uint64, size)
		has := map[[2]uint64]uint32{}
		find := func(key [2]uint64) uint32 {
			for n := x.first(x.hash(key[0], key[1])); n != 0; n = x.next(n) {
				if keys[n-1] == key {
					return n
				}
			}
			return 0
		}
		rng := rand.New(rand.NewPCG(uint64(size), 0))
		for range 2_000 {
			n := uint32(rng.IntN(size)) + 1
			if old := keys[n-1]; has[old] == n {
				x.remove(x.hash(old[0], old[1]), n)
				delete(has, old)
			} else if key := [2]uint64{rng.Uint64N(4), rng.Uint64N(20)}; has[key] == 0 {
				keys[n-1] = key
				x.add(x.hash(key[0], key[1]), n)
				has[key] = n
			}
			for a := range uint64(4) {
				for b := range uint64(20) {
					if key := [2]uint64{a, b}; find(key) != has[key] {
						t.Fatalf("size %d: key %v: got entry %d, want %d", size, key, find(key), has[key])
					}
				}
			}
		}
		runtime.KeepAlive(l)
	}
}

// Keys that differ in few bits, as slots and ids do, spread over the chains.
func TestIndexSpreads(t *testing.T) {
	const side = 256
	var x index
	l := new(Loop)
	x.make(l, side*side)
	defer runtime.KeepAlive(l)
	for a := range uint64(side) {
		for b := range uint64(side) {
			x.add(x.hash(a<<8, b), uint32(a*side+b)+1)
		}
	}
	longest := 0
	for _, n := range x.heads {
		length := 0
		for ; n != 0; n = x.next(n) {
			length++
		}
		longest = max(longest, length)
	}
	if longest > 20 { // of a random function: 8 or 9
		t.Errorf("got a chain of %d entries among %d, want 20 at most", longest, len(x.heads))
	}
}
