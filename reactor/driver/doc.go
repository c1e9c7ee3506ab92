// Package driver is the contract between a loop of package reactor and an operating
// system. Users of machines do not need it. It is for authors of drivers: a loop runs
// over a simulated network, or over another system, if reactor.Config.Driver is set.
//
// A [Driver] opens, reads, writes and closes sockets, waits for their events, and has
// a clock. The loop is the same over every driver.
//
// # The life of a socket
//
// Listen, Bind, Connect, Accept and Adopt return a new [Sock]. The loop calls Register
// once, reads and writes, and ends with Close or Release. It may close a socket that it
// has not registered. After Close or Release it does not use the Sock again, so the
// driver may give the number to another socket at once.
//
// # Readiness
//
// The loop is edge-triggered. It caches for each socket whether it is readable and
// writable:
//
//   - A socket that is open, connected or listening is assumed to be readable and
//     writable, without an event: the first call finds out. If a read can't find out, as
//     with a FIFO that has no writer yet, the socket has the trait EventFirst: then an
//     event after Register says that it is readable.
//   - A call whose [Flow] says ReadBlocked or WriteBlocked clears that direction.
//   - An event sets the directions that it names.
//
// So the driver owes an event for a direction only after a call that returned a blocked
// Flow for it, for a connection that is under way, and for the first input of a socket
// with EventFirst. It must not miss one: data that came between the call and the next Wait
// is an event, too. The end of a connection, and an error, should be an event at any time,
// so that a machine that does not read notices.
// Superfluous events cost a call and do no harm. Late events do no harm either: the loop
// compares all 64 bits of the [EventData] and drops events of a socket that is closed.
//
// An event is a poll.Event: its Token is the EventData as Register got it, its Ready
// says what happened.
//
//	Readable      a read returns data, the end or an error
//	Writable      a write takes bytes or returns an error; or a connection that was under
//	              way has an outcome
//	ReadClosed    Readable; the peer will send no more than what is still to be read
//	Priority      Readable; there is urgent data
//	WriteClosed   Writable; what is written will not be taken
//	Error         Readable and Writable; FinishConnect returns the error
//
// After one of the last four a short read proves nothing any more: the loop reads until
// a call returns no bytes.
//
// # Buffers, goroutines, errors
//
// A buffer, and a Vec, belong to the caller: the driver must not use them after the
// call has returned, nor change what it is given to write.
//
// All methods but Wake are called on the loop's goroutine, one at a time. No method but
// Wait should block: all machines of the loop would wait.
//
// Errors are found by errors.Is: [ErrRefused], [ErrUnsupported], [ErrNotPollable], those
// of [Exhausted], and for machines the errors of package syscall, such as ECONNRESET.
//
// # Other packages
//
// Package drivertest has the test cases that every driver has to pass. The drivers of
// real systems are in reactor/internal/osdriver, over the backends of package poll;
// the simulated one is part of package fuzz. The example "driver" of package reactor has
// a small one in memory.
package driver
