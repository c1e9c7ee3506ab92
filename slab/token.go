package slab

import "strconv"

// Token names one lifetime of one slot, from an Insert to its Remove. It is a plain
// value that can be copied, compared, used as a map key and sent to other
// goroutines. The zero Token is never valid.
//
//	 63                            32 31    24 23                     0
//	┌────────────────────────────────┬────────┬────────────────────────┐
//	│           generation           │ owner  │         index          │
//	└────────────────────────────────┴────────┴────────────────────────┘
//
// The generation is odd while the slot is live and even while it is free. It grows
// by one at each Insert and at each Remove, so a slot has 2³¹ lifetimes, and a token
// with an even generation is never valid. The owner is the number given to New; it
// distinguishes up to 256 slabs of a program, such as one per event loop. The index
// has 24 bits, which limits a slab to MaxSlots slots.
type Token uint64

const (
	indexBits = 24
	ownerBits = 8

	ownerShift      = indexBits
	generationShift = indexBits + ownerBits
)

// MaxSlots is the largest capacity of a slab.
const MaxSlots = 1 << indexBits

// MakeToken returns the token with the given parts. If index is MaxSlots or more it
// returns 0, which is never valid.
func MakeToken(generation uint32, owner uint8, index uint32) Token {
	if index >= MaxSlots {
		return 0
	}
	return Token(generation)<<generationShift | Token(owner)<<ownerShift | Token(index)
}

// Generation returns the slot's generation that t names. It is odd in a valid token.
func (t Token) Generation() uint32 { return uint32(t >> generationShift) }

// Owner returns the number given to New for the slab that made t.
func (t Token) Owner() uint8 { return uint8(t >> ownerShift) }

// Index returns the slot's number within its slab, 0 to MaxSlots-1.
func (t Token) Index() uint32 { return uint32(t) & (MaxSlots - 1) }

// String returns t as owner:index#generation in decimal, such as "3:17#5".
func (t Token) String() string {
	var buf [len("255:16777215#4294967295")]byte
	b := strconv.AppendUint(buf[:0], uint64(t.Owner()), 10)
	b = append(b, ':')
	b = strconv.AppendUint(b, uint64(t.Index()), 10)
	b = append(b, '#')
	b = strconv.AppendUint(b, uint64(t.Generation()), 10)
	return string(b)
}
