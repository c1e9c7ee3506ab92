package slab

import "strconv"

// Token names one life of one slot. It is a plain value: copy it, compare it,
// use it as a map's key, send it to another goroutine.
//
//	 63                            32 31    24 23                     0
//	┌────────────────────────────────┬────────┬────────────────────────┐
//	│           generation           │  loop  │         index          │
//	└────────────────────────────────┴────────┴────────────────────────┘
//
// The generation counts a slot's lives: it is odd while the slot is live and
// even while it is free, so a slot has 2³¹ lives and no even number, zero
// among them, is ever the generation of a valid token. The loop tells the
// slabs of one program apart, 256 of them. The index has 24 bits, which is
// what limits a slab to MaxSlots.
type Token uint64

const (
	indexBits = 24
	loopBits  = 8

	loopShift       = indexBits
	generationShift = indexBits + loopBits
)

// MaxSlots is the largest capacity of a slab.
const MaxSlots = 1 << indexBits

// MakeToken packs the parts of a token. An index that does not fit, MaxSlots
// or more, gives Token 0, which is never valid, and not another slot's token.
func MakeToken(generation uint32, loop uint8, index uint32) Token {
	if index >= MaxSlots {
		return 0
	}
	return Token(generation)<<generationShift | Token(loop)<<loopShift | Token(index)
}

// Generation returns the slot's life that t names. It is odd in a valid token.
func (t Token) Generation() uint32 { return uint32(t >> generationShift) }

// Loop returns the number that the slab was made with.
func (t Token) Loop() uint8 { return uint8(t >> loopShift) }

// Index returns the slot's number in its slab, 0 to MaxSlots-1.
func (t Token) Index() uint32 { return uint32(t) & (MaxSlots - 1) }

// String returns loop:index#generation in decimal, such as "3:17#5".
func (t Token) String() string {
	var buf [len("255:16777215#4294967295")]byte
	b := strconv.AppendUint(buf[:0], uint64(t.Loop()), 10)
	b = append(b, ':')
	b = strconv.AppendUint(b, uint64(t.Index()), 10)
	b = append(b, '#')
	b = strconv.AppendUint(b, uint64(t.Generation()), 10)
	return string(b)
}
