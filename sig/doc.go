// Package sig brings Unix signals to an event loop: a set of bits and one wake.
//
// A [Source] belongs to one loop. It collects the signals that it was asked for,
// by way of os/signal, and calls the loop's wake function when there is something
// where there was nothing. The loop takes all of it at once, in its own time, on
// its own goroutine, where any code may run: nothing here runs in a signal handler.
//
// # What becomes of many signals
//
// One bit a signal. Of N signals of one number that come between two calls of
// Take, the loop learns that there was at least one; how many there were is lost,
// and so is the order of signals of different numbers. (The kernel does the same
// with standard signals that are pending.) No signal hides another one: a flood
// of SIGHUP can't push a SIGTERM out. Who sent a signal is not known, nor the
// value that a real-time signal carries.
//
// Each Source that asked for a signal gets it, and so does each channel given to
// signal.Notify elsewhere in the program.
//
// # Who may call what
//
// [Source.Notify], [Source.Take], [Source.Empty] and [Source.Close] are for any
// goroutine. Each bit goes to one Take; a Source is made for a single taker.
//
// Before it blocks, a loop says that it will sleep and then looks at Empty once
// more: the Source sets the bit first and calls wake second.
//
// # Limits and cost
//
// Numbers 1 to 63. Each signal asked for costs a goroutine, asleep, and a channel
// of capacity 1: a shared channel could be full of one signal when another comes.
// A signal delivered allocates nothing. Take without a signal is one atomic load.
//
// SIGURG is worth asking for in rare cases only: the Go runtime sends it to itself
// to preempt goroutines, and these arrive as well.
//
// # Why not signalfd
//
// Linux can hand signals out through a descriptor, which a loop could wait for
// beside its sockets. That works for a signal that every thread of the process
// blocks: as long as one thread does not, the kernel delivers it to that thread,
// and the descriptor stays silent. A Go program can't get there. A mask belongs to
// a thread, and goroutines don't own theirs; a thread that the runtime starts
// takes the mask that the process began with, not that of its creator, unblocks
// what the runtime itself needs, and may be started at any moment, the first ones
// before any code of the program runs. So a signal blocked here is open there.
// os/signal is the runtime's own way out, works the same on every system, and is
// told of a signal by whichever thread received it.
package sig
