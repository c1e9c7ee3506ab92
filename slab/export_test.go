package slab

import "unsafe"

// Age moves a live slot to a later generation, as if it had been removed and
// inserted many times, and returns its new token.
func (s *Slab[T]) Age(t Token, generation uint32) Token {
	if s.Get(t) == nil || generation&1 == 0 {
		panic("slab: Age: want a live token and an odd generation")
	}
	s.slots[t.Index()].gen = generation
	return s.TokenAt(t.Index())
}

// Slots returns the slots, for tests that measure their memory.
func (s *Slab[T]) Slots() []slot[T] { return s.slots }

// SlotSize returns the distance between two slots in bytes.
func (s *Slab[T]) SlotSize() uintptr { return unsafe.Sizeof(slot[T]{}) }

// FreeListOK reports whether the free list contains each removed slot once and no
// other one, and whether unused slots are still zero.
func (s *Slab[T]) FreeListOK() bool {
	seen := make(map[uint32]bool)
	for link := s.free; link != 0; link = s.slots[link-1].link {
		index := link - 1
		if index >= s.used || seen[index] || s.slots[index].gen&1 == 1 {
			return false
		}
		seen[index] = true
	}
	for _, sl := range s.slots[s.used:] {
		if sl.gen != 0 || sl.link != 0 {
			return false
		}
	}
	return len(seen)+int(s.live)+int(s.retired) == int(s.used)
}
