// Package timerwheel keeps deadlines: a hierarchical wheel whose timers are
// numbers, and which reads no clock.
//
// The caller says what time it is. Times are int64 nanoseconds on a clock of
// the caller's choice that starts anywhere, may be simulated, and for the wheel
// never runs backward. The caller also names the timers: [Timer] 0 to capacity-1
// each stand for one deadline, running or not. Who has a slot number already
// uses that and stores nothing; who wants handles that go stale pairs the wheel
// with a slab, see the examples.
//
//	for {
//		wait until w.Next()
//		w.Advance(now)
//		for t, ok := w.Expired(); ok; t, ok = w.Expired() {
//			... t is no longer armed; it may be armed again here ...
//		}
//	}
//
// # Promises
//
// Time is cut into ticks of the resolution. Deadlines are rounded up to a tick
// and the clock is rounded down, so no timer is ever early; it is due at the
// first Advance that reaches its tick, so it is late by less than a tick and by
// what the caller's own wait adds. A deadline that is past when it is set is due
// at the next tick, not at once: a loop over Expired ends, whatever is armed in
// it. Expired follows the order of ticks; within a tick the order is fixed by
// what was called before, and unspecified.
//
// Every int64 is a deadline, math.MaxInt64 too. A clock that jumps ahead, by an
// hour of suspension say, costs time for the timers that it passes, not for the
// ticks.
//
// # The wheel
//
// There are six levels. A bucket of level n holds the timers of 64ⁿ ticks, and
// each level has two banks of 64 buckets: one is the window of 64ⁿ⁺¹ ticks that
// the clock is in, the other is the window after it.
//
//	level 0  ····▲··█·····█··│·█·········  buckets of 1 tick
//	             clock       │ next window
//	level 1  ·········▲░█····│·····█·····  buckets of 64 ticks
//	                   ╰ being emptied into level 0, a share each tick
//	level 2  ··▲░··········█·│···········  buckets of 4096 ticks
//
// In the textbook's wheel a bucket moves down at the moment when the clock
// enters it; with a million timers that is tens of thousands at once, and a
// stall of many milliseconds. Here the level below has a bank for the window to
// come, so the bucket after the clock's is emptied while the clock is still
// before it: as many timers each tick as were filed in it for each of its ticks.
// A bitmap a bank finds the next bucket in use.
//
// Deadlines beyond the last level, 2³⁶ ticks ahead or more, are filed at its end
// and filed again when the clock gets there.
//
// # Extending
//
// Most deadlines never come: they are pushed back by each event. Extend stores
// the new time and leaves the timer where it is filed; when the clock gets
// there, the timer is filed again for its true deadline. So a timer that is
// extended a million times a second moves through the wheel as rarely as one
// that is not touched.
//
// # Cost and memory
//
// Add, Extend, Cancel and Expired take constant time; Extend of a running timer
// is one comparison and one store. Advance by one tick handles what is due then
// and its share of the buckets to come. Nothing is allocated after [New]. A
// timer takes 16 bytes, and 8 more if it was ever periodic; pages of timers that
// were never armed are not touched and cost address space alone. (On systems
// other than Linux that needs an allocator with fresh memory to give; memory
// that the heap recycles it clears first.)
//
// # Limits
//
// The resolution is 100 µs to 1 s, the capacity 1 to [MaxTimers]. A [Timer] of
// the capacity or above panics with an index out of range, as a slice does.
//
// # Goroutines
//
// A wheel belongs to one goroutine at a time. The zero Wheel has no timers.
//
// Hierarchical wheels are from Varghese and Lauck, "Hashed and hierarchical
// timing wheels" (SOSP 1987), scheme 7; emptying a bucket ahead of the clock
// bounds what they call the cost of migration.
package timerwheel
