// Package slab stores values in numbered slots and names them by tokens that stop
// working when the value is removed.
//
//	conns, err := slab.New[conn](0, 1024) // owner 0, 1024 slots; all memory is allocated here
//	token, c, err := conns.Insert()       // c is a *conn, zeroed
//	conns.Get(token)                      // c
//	conns.Remove(token)                   // true
//	conns.Get(token)                      // nil, even after the slot is in use again
//
// A slot number alone is an unsafe name for a value: the slot is reused, and code
// that still holds the number reaches a different value. A [Token] therefore
// carries the slot's generation beside its number. Remove ends the generation, so
// an old token finds nothing, however often the slot was reused. Queues, timers and
// the kernel may keep old tokens for as long as they like; there is nothing to
// clean up.
//
//	Token ──▶ index ──▶ slot ┌────────────┬──────┬─────────┐
//	      └─▶ generation ═?═ │ generation │ link │ value T │
//	                         └────────────┴──────┴─────────┘
//
// # Memory
//
// [New] allocates all slots at once. They never move, so a *T is valid until its
// Remove, and no other method allocates. A slot is 8 bytes followed by T: a T of 56
// bytes with an alignment of at most 8 makes slots of one cache line, 64 bytes.
//
// Slots are first used in ascending order, and the free list links only slots that
// were used before. So pages beyond the highest slot ever used are not touched: on
// Linux they occupy address space but no memory. On other systems the same holds
// if the allocation is fresh from the operating system; memory that the Go heap
// recycles is cleared first, which touches it.
//
// If T has no pointers, the garbage collector does not scan the slab. Otherwise it
// scans all of it, untouched pages included. Either way all slots count as live heap,
// which paces the collector, and towards GOMEMLIMIT. [NewOffHeap] avoids that for a T
// without pointers, at the price of a rule for the lifetime of *T.
//
// # Order of reuse
//
// Insert reuses the slot that was removed last, as it is the most likely to be in
// the cache. It takes an unused slot only when no removed slot is available. If a
// slot must not be reused yet, for example because the current batch of events may
// still contain one for it, call Remove later.
//
// # Limits
//
// A slab has 1 to [MaxSlots] slots; its capacity is fixed. Each slot has 2³¹
// lifetimes. After the last one it is retired, because its next token would equal
// its first one. A slab of 4,096 slots thus serves 8.8·10¹² insertions, 101 days at
// a million per second, and is then full for good. [Slab.Retired] returns how many
// slots are retired.
//
// # Cost
//
// Insert, Get and Remove take constant time and access one slot; Remove also clears
// T. [Slab.All] visits every slot that was ever used.
//
// # Goroutines
//
// Concurrent calls of Get and the other methods that only read are safe as long as
// there is no concurrent call of Insert or Remove. A Token is a plain value that any
// goroutine may hold.
//
// The zero Slab has no slots: Insert returns ErrFull, Get returns nil.
//
// # Origin
//
// Handles with generations are also known as versioned or tagged handles; this
// form of them is called a generational arena.
package slab
