package slab

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"unsafe"
)

// ErrFull is what Insert answers when every slot is live or retired.
var ErrFull = errors.New("slab: full")

// maxBytes is what make could refuse with a panic: more than there are
// addresses, with some to spare for the rest of the program.
const maxBytes = min(math.MaxInt, 1<<46)

// slot is one numbered place. The zero slot is a fresh one, so a slab need not
// be written to before use.
type slot[T any] struct {
	gen  uint32 // odd: live; even: free; 0: fresh, or retired
	link uint32 // while free: the next free slot's index + 1, 0 at the end
	val  T      // zero while free
}

// Slab holds up to a fixed number of values of type T. See the package comment
// for what holds of memory, order and goroutines.
type Slab[T any] struct {
	slots   []slot[T]
	free    uint32 // head of the list of removed slots: index + 1, 0 when empty
	used    uint32 // slots below were used at least once, slots from here on are fresh
	live    uint32
	retired uint32
	loop    uint8
}

// New returns an empty slab of the given capacity, 1 to MaxSlots. Its tokens
// carry loop, so that a token of another slab is told from one of its own.
func New[T any](loop uint8, capacity int) (*Slab[T], error) {
	if capacity < 1 || capacity > MaxSlots {
		return nil, fmt.Errorf("slab: capacity %d: want 1 to %d", capacity, MaxSlots)
	}
	if size := uint64(unsafe.Sizeof(slot[T]{})); uint64(capacity) > maxBytes/size {
		return nil, fmt.Errorf("slab: capacity %d: want 1 to %d with slots of %d bytes",
			capacity, maxBytes/size, size)
	}
	slots := make([]slot[T], capacity)
	untouch(slots)
	return &Slab[T]{slots: slots, loop: loop}, nil
}

// Insert makes a slot live and returns its new token and its value, which is
// the zero T. The pointer is good until the token's Remove. With no slot left
// it answers ErrFull.
func (s *Slab[T]) Insert() (Token, *T, error) {
	index := s.free - 1
	if s.free != 0 {
		s.free = s.slots[index].link
	} else {
		if int(s.used) == len(s.slots) {
			return 0, nil, ErrFull
		}
		index = s.used
		s.used++
	}
	sl := &s.slots[index]
	sl.gen++
	s.live++
	return MakeToken(sl.gen, s.loop, index), &sl.val, nil
}

// Get returns the value that t names, or nil when there is none: t was
// removed, belongs to another loop, or was never a token at all. Every 64-bit
// value may be asked for.
func (s *Slab[T]) Get(t Token) *T {
	if t.Loop() != s.loop {
		return nil
	}
	return s.Find(t.Generation(), t.Index())
}

// Find is Get for callers that carry a token's parts in another layout, such
// as the data of a kernel's event, and that know the loop. It is as safe.
func (s *Slab[T]) Find(generation, index uint32) *T {
	if uint(index) >= uint(len(s.slots)) {
		return nil
	}
	sl := &s.slots[index]
	if sl.gen != generation || generation&1 == 0 {
		return nil
	}
	return &sl.val
}

// At returns the value in a slot without asking whether it is live; it is for
// callers that know. An index of Cap or more panics. What is written to a slot
// that is not live would be seen by its next Insert.
func (s *Slab[T]) At(index uint32) *T { return &s.slots[index].val }

// TokenAt returns the token of the value that lives in a slot now, or 0 when
// none does.
func (s *Slab[T]) TokenAt(index uint32) Token {
	if uint(index) >= uint(len(s.slots)) || s.slots[index].gen&1 == 0 {
		return 0
	}
	return MakeToken(s.slots[index].gen, s.loop, index)
}

// Remove ends the life that t names and reports whether there was one. The
// value is cleared, so that it holds on to nothing, and the slot is the next
// one that Insert takes, unless this was its last generation: then it is
// retired.
func (s *Slab[T]) Remove(t Token) bool {
	if s.Get(t) == nil {
		return false
	}
	index := t.Index()
	sl := &s.slots[index]
	var zero T
	sl.val = zero
	sl.gen++
	s.live--
	if sl.gen == 0 { // the count came round: every further token would be an old one
		s.retired++
		return true
	}
	sl.link = s.free
	s.free = index + 1
	return true
}

// All yields the live values and their tokens, by ascending index. The loop's
// body may remove any value, the current one too, and insert: a value removed
// before its turn is not seen, one inserted meanwhile may be.
func (s *Slab[T]) All() iter.Seq2[Token, *T] {
	return func(yield func(Token, *T) bool) {
		for index := uint32(0); index < s.used; index++ {
			sl := &s.slots[index]
			if sl.gen&1 == 1 && !yield(MakeToken(sl.gen, s.loop, index), &sl.val) {
				return
			}
		}
	}
}

// Len returns the number of live slots.
func (s *Slab[T]) Len() int { return int(s.live) }

// Cap returns the number of slots, live, free and retired.
func (s *Slab[T]) Cap() int { return len(s.slots) }

// Retired returns the number of slots that will not be used again.
func (s *Slab[T]) Retired() int { return int(s.retired) }
