package slab

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"unsafe"

	"github.com/stator-go/stator/internal/pages"
)

// ErrFull is returned by Insert when every slot is live or retired.
var ErrFull = errors.New("slab: full")

// maxBytes limits the size of a slab. A larger make could panic, as the address
// space is that small or nearly so; New returns an error instead.
const maxBytes = min(math.MaxInt, 1<<46)

// slot holds one value. The zero slot is an unused one, so New need not write to
// the slots.
type slot[T any] struct {
	gen  uint32 // odd: live; even: free; 0: unused, or retired
	link uint32 // while free: the next free slot's index + 1, 0 at the end
	val  T      // zero while free
}

// Slab stores up to a fixed number of values of type T. The package comment
// describes its memory, its order of reuse and its use from several goroutines.
type Slab[T any] struct {
	slots   []slot[T]
	free    uint32 // head of the list of removed slots: index + 1, 0 when empty
	used    uint32 // slots below this index were used at least once, the others never
	live    uint32
	retired uint32
	owner   uint8
}

// New returns an empty slab with the given number of slots, 1 to MaxSlots. Its tokens
// carry owner, a number of the caller's choice such as that of an event loop: the slab
// rejects tokens that carry a different one. New returns an error if capacity is not
// within 1 to MaxSlots, or if so many slots of T do not fit in memory that can be
// addressed.
func New[T any](owner uint8, capacity int) (*Slab[T], error) {
	if err := check[T](capacity); err != nil {
		return nil, err
	}
	slots := make([]slot[T], capacity)
	pages.Discard(slots)
	return &Slab[T]{slots: slots, owner: owner}, nil
}

// NewOffHeap is New for a T without pointers. A large slab's slots lie outside of the
// Go heap, so that unused ones neither raise its size nor count towards GOMEMLIMIT. It
// panics if T has pointers.
//
// The slots are freed when the slab is unreachable. Unlike those of New, a *T does not
// keep them: using one when the slab is unreachable may crash the program.
func NewOffHeap[T any](owner uint8, capacity int) (*Slab[T], error) {
	if err := check[T](capacity); err != nil {
		return nil, err
	}
	s := &Slab[T]{owner: owner}
	s.slots = pages.Alloc[Slab[T], slot[T]](s, capacity)
	return s, nil
}

// check returns an error if a slab cannot have so many slots.
func check[T any](capacity int) error {
	if capacity < 1 || capacity > MaxSlots {
		return fmt.Errorf("slab: capacity %d: want 1 to %d", capacity, MaxSlots)
	}
	if size := uint64(unsafe.Sizeof(slot[T]{})); uint64(capacity) > maxBytes/size {
		return fmt.Errorf("slab: capacity %d: want 1 to %d with slots of %d bytes",
			capacity, maxBytes/size, size)
	}
	return nil
}

// Insert makes a slot live and returns its token and a pointer to its value, which
// is the zero T. The pointer is valid until the token's Remove. If no slot is
// available, Insert returns ErrFull.
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
	return MakeToken(sl.gen, s.owner, index), &sl.val, nil
}

// Get returns the value that t names. It returns nil if t was removed, carries
// another owner, or was never returned by Insert; any 64-bit value is allowed.
func (s *Slab[T]) Get(t Token) *T {
	if t.Owner() != s.owner {
		return nil
	}
	return s.Find(t.Generation(), t.Index())
}

// Find is Get for a caller that stores the parts of a token in a different layout,
// such as the user data of a kernel event. It makes the same checks, except that
// the caller must know that the token is one of this slab.
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

// At returns the value of a slot without checking that the slot is live, which the
// caller must know: a write to a slot that is not live would be visible after its
// next Insert. At panics if index is Cap or more.
func (s *Slab[T]) At(index uint32) *T { return &s.slots[index].val }

// TokenAt returns the token of the slot with the given index, or 0 if the slot is
// not live.
func (s *Slab[T]) TokenAt(index uint32) Token {
	if uint(index) >= uint(len(s.slots)) || s.slots[index].gen&1 == 0 {
		return 0
	}
	return MakeToken(s.slots[index].gen, s.owner, index)
}

// Remove frees the slot that t names and reports whether t was valid. It clears the
// value, so that the slab keeps nothing reachable. The slot is the next one that
// Insert uses, unless this was its last lifetime: then it is retired.
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
	if sl.gen == 0 { // wrapped around: further tokens would equal old ones
		s.retired++
		return true
	}
	sl.link = s.free
	s.free = index + 1
	return true
}

// All returns an iterator over the live values and their tokens, in ascending order
// of their indexes. Insert and Remove may be called during the iteration, also for
// the current value: a value that is removed before it was visited is not visited,
// one that is inserted may be.
func (s *Slab[T]) All() iter.Seq2[Token, *T] {
	return func(yield func(Token, *T) bool) {
		for index := uint32(0); index < s.used; index++ {
			sl := &s.slots[index]
			if sl.gen&1 == 1 && !yield(MakeToken(sl.gen, s.owner, index), &sl.val) {
				return
			}
		}
	}
}

// Len returns the number of live slots.
func (s *Slab[T]) Len() int { return int(s.live) }

// Cap returns the number of all slots: live, free and retired.
func (s *Slab[T]) Cap() int { return len(s.slots) }

// Retired returns the number of slots that have used up their generations and
// cannot be used again.
func (s *Slab[T]) Retired() int { return int(s.retired) }
