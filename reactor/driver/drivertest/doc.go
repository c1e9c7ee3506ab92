// Package drivertest tests that every backend of package poll, and every driver of package
// reactor, behaves in the same way. It has 45 numbered cases. A simulated driver is useful
// only if it behaves like real kernels, so it is tested with the same cases.
//
//	func TestConformance(t *testing.T) {
//		drivertest.Run(t, drivertest.Backend{
//			Name: "epoll",
//			New:  func() (drivertest.System, error) { return drivertest.OverPoller("epoll") },
//		})
//	}
//
// # Systems
//
// A [System] is an operating system as the cases use it: descriptors with their operations,
// a clock, and the wait under test. [OverPoller] returns the System of a poll.Poller and the
// descriptors of this machine. Another System embeds [Unimplemented], whose operations all
// return errors.ErrUnsupported, and overrides the operations that it supports.
//
// For a System over a driver, [DriverCalls] has the calls that open sockets and move bytes. The file
// reactor/internal/osdriver/conformance_test.go is a model of such a System; what it needs
// of Unix is in conformance_unix_test.go.
//
// # Modes and skips
//
// Most cases run twice, level-triggered and edge-triggered. A case is skipped if the System
// does not support an operation that it uses, or if it is in Backend.Skips. [Run] returns a
// [Report] of the cases that ran and those that were skipped; [Table] prints the Reports of
// several backends as a table.
//
// [Compare] makes the same random calls to two backends and compares the results of their
// waits.
//
// STATOR_LONG=1 makes the cases with many rounds longer.
//
// # Cases
//
//	 1 an empty wait times out, never early
//	 2 zero timeout still collects
//	 3 short timeouts round up, huge ones do not overflow
//	 4 an interrupted wait continues until its timeout
//	 5 an event buffer of one delivers everything, fairly
//	 6 registering twice is an error
//	 7 changing or removing what is not registered is an error
//	 8 a change replaces token and interest
//	 9 registering again after removal
//	10 registering while another goroutine waits
//	11 registering and removing from many goroutines
//	12 no event after removal, not even later in the batch
//	13 a reused number never receives the old one's events
//	14 closing while registered
//	15 a duplicate closed first
//	16 many rounds of opening and closing leak nothing
//	17 a regular file, a directory, a closed descriptor: a clear error
//	18 would-block re-arms
//	19 new data gives an event although older data was not read
//	20 a machine that reads one byte per call is called until it is done
//	21 readable and writable at once
//	22 a connection made is writable, once
//	23 a connection refused reports the error
//	24 connecting, then closing at once
//	25 listening, then closing
//	26 a burst of accepts on one edge
//	27 out of descriptors, accepting neither spins nor stops for ever
//	28 data is read before the peer's end
//	29 half-closed each way, and both
//	30 a reset
//	31 what was sent before a hang-up is readable after it
//	32 a write to a closed peer: an error, no signal
//	33 a large write blocks, then there is room again
//	34 writing, then closing, delivers all
//	35 reads and writes of length zero
//	36 a wake before the wait
//	37 a wake during the wait
//	38 many wakes, one event
//	39 wakes from two goroutines
//	40 a wake while the wait is about to block is not lost
//	41 UDP: empty datagrams, truncation, connected or not
//	42 unix sockets: stream, datagram, pair, abstract name
//	43 pipes: reader closed, writer closed, of a child
//	44 a net.Conn, net.Listener and os.File adopted and released
//	45 many sockets against a model
package drivertest
