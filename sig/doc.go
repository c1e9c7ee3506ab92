// Package sig delivers signals of the operating system to an event loop as a set of
// bits, with one call that wakes the loop.
//
//	src, err := sig.Open(wake) // wake unblocks the loop
//	err = src.Notify(sig.Of(syscall.SIGHUP, syscall.SIGTERM))
//	for {
//		... wait for events and for wake ...
//		if set := src.Take(); set.Has(syscall.SIGTERM) {
//			... end ...
//		}
//	}
//
// A [Source] collects signals for one loop, by way of os/signal. When a signal comes
// and none is pending, it calls wake. The loop takes all pending signals at once, on
// its own goroutine, where any code may run: nothing here runs in a signal handler.
//
// # Platforms
//
// [Source.Notify] accepts these signals and returns [ErrUncatchable] for others:
//
//	Linux        1 to 63, except SIGKILL, SIGSTOP, SIGPROF and 32 to 34, which the C
//	             library uses
//	other Unix   1 to 31, except SIGKILL, SIGSTOP and SIGPROF
//	Windows      SIGINT: Ctrl-C and Ctrl-Break
//	             SIGTERM: the console is closed, a log-off, a shutdown
//	Plan 9       the notes that package syscall calls SIGHUP, SIGINT, SIGABRT and SIGALRM
//	others       none
//
// Go's runtime uses SIGPROF for its profiler.
//
// # What is lost
//
// A signal is one bit. If a signal comes several times between two calls of Take,
// the loop learns that it came at least once. The number of times is lost, and the
// order of different signals. The kernel does the same with pending standard
// signals. No signal hides another: however often SIGHUP comes, a SIGTERM is still
// seen. The sender of a signal is not known, nor the value that a real-time signal
// carries.
//
// A signal is delivered to each Source that was asked for it, and to each channel
// that the program passed to signal.Notify for it.
//
// # Goroutines
//
// Any goroutine may call any method. Each pending bit is returned by one Take, so a
// Source is meant for a single goroutine that takes.
//
// A loop that publishes whether it sleeps, so that wake is cheap while it is awake,
// must check Empty after it has published that and before it blocks: the Source sets
// the bit first and then calls wake.
//
// # Limits and cost
//
// Signals have the numbers 1 to 63. Each signal asked for costs a goroutine, which
// sleeps, and a channel of capacity 1; a channel shared by several signals could be
// full of one when another comes. The delivery of a signal does not allocate. Take
// without a pending signal is one atomic load. The zero Source cannot be used.
//
// Ask for SIGURG only with care: the Go runtime sends it to its own threads to
// preempt goroutines, and these signals are delivered as well.
//
// # Why not signalfd
//
// On Linux a loop could wait for a signalfd descriptor beside its sockets. That works
// only if every thread of the process blocks the signal: otherwise the kernel
// delivers it to a thread that does not, and the descriptor stays silent. A Go
// program cannot ensure that. Signal masks belong to threads, and goroutines move
// between threads. The runtime may start a thread at any time, the first ones before
// any code of the program runs; the new thread uses the mask that the process began
// with, and unblocks the signals that the runtime needs. So a signal that is blocked
// in one thread is not blocked in others. os/signal works in the same way on every
// system, whichever thread receives the signal.
package sig
