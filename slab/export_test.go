package slab

import "unsafe"

// Age moves a live slot to a later generation, as if it had been removed and
// inserted often, and returns its new token.
func (s *Slab[T]) Age(t Token, generation uint32) Token {
	if s.Get(t) == nil || generation&1 == 0 {
		panic("slab: Age wants a live token and an odd generation")
	}
	s.slots[t.Index()].gen = generation
	return s.TokenAt(t.Index())
}

// Memory returns where the slots lie.
func (s *Slab[T]) Memory() (start unsafe.Pointer, sizeBytes uintptr) {
	return unsafe.Pointer(unsafe.SliceData(s.slots)), uintptr(len(s.slots)) * unsafe.Sizeof(slot[T]{})
}

// SlotSize returns the distance between two slots.
func (s *Slab[T]) SlotSize() uintptr { return unsafe.Sizeof(slot[T]{}) }

// Fresh reports whether the free list and the slots agree on what was used:
// the list holds each removed slot once and no fresh one, and fresh slots are
// as New left them.
func (s *Slab[T]) Fresh() bool {
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
