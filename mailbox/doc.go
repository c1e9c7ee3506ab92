// Package mailbox provides a bounded queue from many goroutines to one, the consumer.
// A sender wakes the consumer only when the consumer sleeps, and only once per sleep.
//
//	s := mailbox.NewSleeper(wake)       // wake unblocks the consumer
//	r, err := mailbox.New[msg](1024, s) // all memory is allocated here
//
//	// Any goroutine:
//	err = r.Send(m) // nil, ErrFull or ErrClosed, at once
//
//	// The consumer's goroutine:
//	for r.Recv(&m) {
//		... handle m ...
//		r.Release(1)
//	}
//
// A [Ring] is an array of cells. Send copies a value into the next cell and Recv
// copies it out. Neither blocks, and only [New] allocates.
//
// # Goroutines
//
// [Ring.Send], [Ring.Close], [Ring.Len] and [Ring.Cap] may be called by any
// goroutine. [Ring.Recv], [Ring.Release], [Ring.Empty], [Ring.Done] and [Ring.Post]
// may be called only by the consumer, which is a single goroutine. Post is a Send
// without the wake, for a consumer that sends to itself. A Ring must not be copied,
// and its zero value is not usable.
//
// # Order and limits
//
// Messages are received in the order in which they were accepted, so the messages
// of one sender arrive in the order of its calls. Each message that Send accepted is
// received exactly once, even if the ring is closed in between.
//
// The capacity, 1 to [MaxCapacity], limits the messages that are accepted and not
// released. A received message keeps its space until [Ring.Release]. So a consumer
// can keep a message and handle it later, while its senders still get no more space
// than the capacity. Release takes a number of messages and may be called once per
// batch; it does not matter which messages they are.
//
// If a sender is preempted after it claimed a cell and before it filled it, the
// messages behind that cell wait. Until the sender continues, the ring reports
// Empty and the consumer may sleep. The sender wakes the consumer when the cell is
// filled.
//
// # Sleep
//
// The consumer of one or more rings has one [Sleeper], and blocks as follows:
//
//	s.Asleep()
//	if everyRing.Empty() {
//		block() // until wake is called, or for another reason
//	}
//	s.Awake()
//
// A consumer that also waits for the end checks [Ring.Done] before it blocks;
// [Ring.Close] wakes it.
//
// No message that can be received is missed. A sender first publishes its message and
// then reads the Sleeper's flag. The consumer first sets the flag and then reads the
// cells. Go's atomic operations have one total order, so at least one of the two sees
// the other's write: the sender wakes the consumer, or the consumer does not block.
//
// The sender that clears the flag calls wake. So wake is called at most once per
// sleep, however many senders there are, and a send to a consumer that is awake
// costs one load of a word that seldom changes.
//
// # Cost
//
// Without contention, Send costs one compare-and-swap and one atomic store, Recv
// one atomic load, Release one atomic store. Senders that claim a cell at the same
// time retry the compare-and-swap; one of them always succeeds.
//
// # Origin
//
// The sequence number in each cell is from Dmitry Vyukov's bounded multi-producer
// queue. Here it is used only to publish the message: whether a cell is vacant
// follows from the number of released messages; see cursors.go.
package mailbox
