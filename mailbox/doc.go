// Package mailbox is a bounded queue from many goroutines to one, with a
// protocol that wakes the receiver once, and only when it sleeps.
//
// A [Ring] is an array of cells. Send copies a value into the next cell, Recv
// copies it out: no node, no boxing, nothing allocated after [New]. Send never
// waits: it accepts the message, or says [ErrFull] or [ErrClosed], at once.
//
// # Who may call what
//
// [Ring.Send], [Ring.Close], [Ring.Len] and [Ring.Cap] are for any goroutine.
// [Ring.Recv], [Ring.Release], [Ring.Empty] and [Ring.Done] are for one
// goroutine, the consumer; so is [Ring.Post], a Send without the wake for a
// consumer that writes to itself.
//
// # Order and limits
//
// Messages are received in the order of their acceptance, which for each sender
// is the order of its calls. No message is lost, none is doubled: what Send
// accepted, Recv delivers, also after Close.
//
// A place in the ring is taken by Send and given back by [Ring.Release], not by
// Recv: the limit counts messages that are not handled yet. A consumer can so put
// a message aside and handle it later, out of order, without its senders getting
// more room than the capacity says. Release gives places back by number, once a
// batch; which of its messages they belonged to is the consumer's own affair.
//
// A sender that is preempted between taking a cell and filling it holds up the
// messages behind it. Until it goes on, the ring says Empty and its consumer may
// sleep: the sender wakes it once the cell is filled.
//
// # Sleep
//
// The consumer of one or more rings owns a [Sleeper]. It sleeps like this:
//
//	s.Asleep()
//	if everyRing.Empty() {
//		block() // until wake was called, or for any other reason
//	}
//	s.Awake()
//
// One that waits for the end as well looks at Done before it blocks: Close wakes it.
//
// A sender publishes its message first and reads the flag second; the consumer
// sets the flag first and reads the cells second. Go's atomics have one total
// order, so at least one of the two sees the other: a message is never left in a
// ring whose consumer sleeps. The sender that takes the flag down calls the wake
// function, so it is called at most once a sleep however many send, and a send to
// a consumer that is awake costs one load of a word that seldom changes.
//
// # Cost
//
// An uncontended Send is one compare-and-swap and one atomic store, a Recv one
// atomic load, a Release one atomic store. Senders that meet at the ring's tail
// retry the compare-and-swap; one of them always succeeds.
//
// The sequence number in each cell is that of Dmitry Vyukov's bounded
// multi-producer queue. Here it only publishes the message: that a cell is vacant
// follows from the count of released places, see ring.go.
package mailbox
