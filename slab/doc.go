// Package slab keeps values in numbered slots and names them by tokens that
// go stale when the value is removed.
//
// A slot's number alone is a poor name for what lives in it: the slot is used
// again, and whoever still holds the number reaches a stranger. A [Token]
// carries the slot's generation beside its number. Each removal ends a
// generation, so a token that outlived its value finds nothing, however often
// the slot was used since. Nothing else need be cleaned up: queues, timers and
// the kernel may keep tokens for as long as they like.
//
//	Token ──▶ index ──▶ slot ┌────────────┬──────┬─────────┐
//	      └─▶ generation ═?═ │ generation │ link │ value T │
//	                         └────────────┴──────┴─────────┘
//
// # Memory
//
// [New] allocates all slots at once. They never move, so a *T stays good until
// its Remove, and nothing is allocated afterwards. Slots are first used in
// ascending order and the free list links only slots that were used before;
// pages beyond the highest slot ever used are not touched: they cost address
// space alone. (On systems other than Linux that needs an allocator with fresh
// memory to give; memory that the heap recycles it clears first.) A T without
// pointers keeps the garbage collector out of the slab altogether; it would
// have to look at every page of the others.
//
// A slot is T and 8 bytes before it: a T of 56 bytes and an alignment of at
// most 8 makes slots of one cache line, 64 bytes.
//
// # Order of reuse
//
// Insert takes the slot that was removed last, as it is the likeliest to be in
// the cache, and a fresh slot only when no removed one waits. A caller that
// must not see a slot again too early (because an event for it may still be in
// the batch at hand) removes it later.
//
// # Limits
//
// A slab has 1 to [MaxSlots] slots and its capacity is fixed. A slot lives 2³¹
// times; after the last life it is retired, as its next token would equal its
// first one. So a slab of 4,096 slots serves 8.8·10¹² insertions, which at a
// million a second is 101 days, and then is full for good; see Retired.
//
// # Cost
//
// Insert, Get and Remove take constant time and touch one slot, apart from
// Remove's clearing of T. [Slab.All] visits every slot ever used.
//
// # Goroutines
//
// A slab belongs to one goroutine at a time: no method may run beside another
// one, Get beside Get included only as long as nobody inserts or removes.
// Tokens are plain values and go anywhere.
//
// The zero Slab has no slots: Insert answers ErrFull, Get nil.
//
// Generations in handles are an old idea; the field knows them as versioned or
// tagged handles. The shape here is that of the generational arena.
package slab
