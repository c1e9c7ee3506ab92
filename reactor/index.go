package reactor

import (
	"math/bits"
	"math/rand/v2"

	"github.com/stator-go/stator/internal/pages"
)

// index finds the entries of a table by key, in a time that does not depend on how many
// there are. It is a hash table with chains: an entry is in the chain of its key's hash.
// Entries are numbers, from 0 up to the index's size, and the caller compares keys:
//
//	for n := index.first(hash); n != 0; n = index.next(n) {
//		if table[n-1].key == key { ... }
//	}
//
// Numbers that methods return are number+1, and 0 is none. The zero index is empty; make
// must be called before the hash of the first entry is computed.
type index struct {
	heads  []uint32 // the first entry of each chain
	chains []uint32 // by entry: the next one of its chain
	shift  uint8    // from a hash to its chain
	seed   uint64   // so that a peer that chooses keys cannot put them all into one chain
}

// make prepares the index for size entries. It is the loop's.
func (x *index) make(l *Loop, size int) {
	width := bits.Len(uint(size - 1)) // at least one chain per entry
	x.heads, x.chains = pages.Alloc[Loop, uint32](l, 1<<width), pages.Alloc[Loop, uint32](l, size)
	x.shift = uint8(64 - width)
	x.seed = rand.Uint64() | 1
}

func (x *index) empty() bool { return x.heads == nil }

// hash returns the hash of a key of two words.
func (x *index) hash(a, b uint64) uint64 {
	high, low := bits.Mul64(a^x.seed, 0x9e3779b97f4a7c15) // 2^64 divided by the golden ratio
	high, low = bits.Mul64(b^high^low, x.seed)
	return (high ^ low) * 0x9e3779b97f4a7c15
}

func (x *index) first(hash uint64) uint32 {
	if x.heads == nil {
		return 0
	}
	return x.heads[hash>>x.shift]
}

func (x *index) next(n uint32) uint32 { return x.chains[n-1] }

// add puts entry n, as number+1, into the chain of a hash.
func (x *index) add(hash uint64, n uint32) {
	head := &x.heads[hash>>x.shift]
	x.chains[n-1] = *head
	*head = n
}

// remove takes entry n, as number+1, out of the chain of a hash.
func (x *index) remove(hash uint64, n uint32) {
	at := &x.heads[hash>>x.shift]
	for *at != n {
		at = &x.chains[*at-1]
	}
	*at = x.chains[n-1]
}
