// Package timerwheel stores deadlines in a hierarchical timer wheel. It reads no
// clock: the caller passes the time in.
//
//	w, err := timerwheel.New(1024, time.Millisecond, now()) // all memory is allocated here
//	w.Add(7, now()+int64(10*time.Second))                   // arm timer 7
//	for {
//		when, ok := w.Next()
//		... wait until when, or for another event ...
//		w.Advance(now())
//		for t, ok := w.Expired(); ok; t, ok = w.Expired() {
//			... timer t has expired; it may be armed again here ...
//		}
//	}
//
// Times are int64 nanoseconds on a clock of the caller's choice. The clock may
// start at any value and may be simulated; the wheel ignores it when it runs
// backward.
//
// A [Timer] is a number from 0 to capacity-1 and has one deadline, which is armed
// or not. A caller whose objects already have small numbers uses those and stores
// nothing else. For handles that stop working when their timer is removed, combine
// the wheel with a slab; see the example "Handles".
//
// # Accuracy
//
// Time is divided into ticks of the wheel's resolution. A deadline is rounded up to
// a tick and the clock is rounded down to one, so a timer never expires early. It
// expires at the first Advance that reaches its tick, so it is late by less than a
// tick, plus what the caller's own wait adds. A deadline that has already passed
// when it is set expires at the next tick, not at once; so a loop over Expired
// always ends, even if each timer is armed again in it.
//
// Expired returns timers in the order of their ticks. Within a tick the order is
// unspecified, but the same calls always give the same order.
//
// Every int64 is a valid deadline, including math.MaxInt64. If the clock jumps
// ahead, for example by an hour after the system was suspended, Advance takes time
// in proportion to the timers in that hour, not to its ticks.
//
// # Limits
//
// The resolution is 100 µs to 1 s, the capacity 1 to [MaxTimers]. A method panics with
// an index out of range if its [Timer] is not below the capacity.
//
// # Cost and memory
//
// Add, Extend, Cancel and Expired take constant time. Extend of an armed timer is
// usually one comparison and one store. Advance by one tick handles the timers of
// that tick and moves a few others closer; see below. Only [New] allocates.
//
// A timer takes 16 bytes, and 8 more if it was ever periodic. A large wheel's timers
// lie outside of the Go heap on Unix and Windows: the garbage collector neither scans
// nor counts them, and timers that were never armed occupy address space but no
// memory. They are freed when the wheel is unreachable.
//
// # Goroutines
//
// A Wheel is not safe for concurrent use. The zero Wheel has no timers.
//
// # The wheel
//
// There are six levels. A bucket of level n holds the timers of 64ⁿ ticks. Each
// level has two banks of 64 buckets: one for the window of 64ⁿ⁺¹ ticks that the
// clock is in, the other for the window after it. A bitmap for each bank finds the
// next bucket that is not empty.
//
//	level 0  ····▲··█·····█··│·█·········  buckets of 1 tick
//	             clock       │ next window
//	level 1  ·········▲░█····│·····█·····  buckets of 64 ticks
//	                   ╰ being moved into level 0, a share in each tick
//	level 2  ··▲░··········█·│···········  buckets of 4096 ticks
//
// In the usual design a bucket is moved down a level at the moment when the clock
// enters it. With a million timers that moves tens of thousands at once, and the
// caller stalls for many milliseconds. Here the level below already has a bank for
// the next window. So a bucket is moved down gradually while the clock is in the
// bucket before it. A bucket that spans n ticks and holds m timers moves m/n of them,
// rounded up, in each of the n ticks.
//
// Deadlines beyond the last level, 2³⁶ ticks ahead or more, are filed at the end of
// the last level and filed again when the clock gets there.
//
// # Extend
//
// Most deadlines never expire, as each event pushes them back. Extend only stores
// the new deadline and leaves the timer in its bucket. When the clock reaches that
// bucket, the timer is filed again for its current deadline. So a timer that is
// extended a million times per second is moved as rarely as one that is not
// extended.
//
// # Origin
//
// Hierarchical wheels are scheme 7 of Varghese and Lauck, "Hashed and Hierarchical
// Timing Wheels" (SOSP 1987). Moving a bucket before the clock enters it bounds the
// time that a single tick takes.
package timerwheel
