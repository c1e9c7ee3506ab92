// Package poll tells which descriptors are ready, portably and without
// allocating: sockets, pipes, terminals and whatever else the system can watch,
// each named in its events by 64 bits of the user's.
//
//	p, err := poll.New()
//	err = p.Register(fd, token, poll.Readable)
//	for {
//		n, err := p.Wait(events, timeout)
//		for _, ev := range events[:n] {
//			// ev.Token can be read
//		}
//	}
//
// The descriptors are the user's own and should not block. The package neither
// reads nor writes nor closes them. Those of package net are reached through
// syscall.Conn; see the example of a listener.
//
// # Goroutines
//
// Wait belongs to one goroutine at a time, and need not be the same one each
// time; a second one is told ErrBusy. All else may be called by any goroutine
// at any time, also while one waits, which takes notice. What a goroutine did
// before Register, Modify or [Waker.Wake] is visible to the one that gets the
// event. The zero Poller and the zero Waker are of no use: see New, NewWaker.
//
// # Levels and edges
//
// Without Edge, each Wait tells of a descriptor for as long as it is ready.
//
// With Edge, a Wait tells that readiness began, and then perhaps no more. Who
// got the event works until an operation would block, calls [Poller.Rearm] for
// its direction, and may count on the next event. An event that told nothing
// new may come at any time. Where the kernel knows edges, Rearm does nothing
// and data that arrives is an event even when older data is not drained; but a
// program that counts on either works on that backend alone.
//
// A hang-up or an error is told whatever the interest, and as Readable and
// Writable, as neither operation would block. With kqueue each direction tells
// of its own end, if it was asked for, and only an error that ends a connection, or
// the loss of the reader of a pipe that is watched for writing, tells of both; an
// error that does not end it, such as a refused datagram's, is Readable alone.
//
// # Removal
//
// Remove a descriptor before closing it. Then no later Wait tells of it, and
// [Drop] strikes out what the last Wait has told already. A descriptor that is
// closed without Remove is forgotten, and its number may be registered again,
// with some exceptions, none of them kqueue's. As long as a duplicate of it is
// open, in this process or a child, epoll goes on telling of it, and nothing can
// stop that. And the poll and ports backends take a file that fstat cannot tell from
// the closed one for the same file, such as an eventfd for another: Register answers
// ErrExist, and Modify takes it over. The afd backend knows sockets by their
// addresses: it takes one with those of the closed one for the same; and with Edge
// it may yet tell what it had noticed before the close. Tokens with a generation,
// as those of package slab, make all of this harmless.
//
// # Waiting
//
// With epoll, a Wait that finds nothing parks its goroutine in the Go runtime's
// own poller, as a read from a net.Conn does: it holds neither a thread nor a
// processor. With the others it blocks a thread, as a system call does, and takes
// its processor along until the runtime's monitor notices: a goroutine that
// would run there waits for 20 microseconds to some milliseconds.
//
// A Wait never ends before its timeout has passed, if nothing came. It is late
// by what the scheduler and the kernel's clock take; afd, and poll(2) outside
// Linux, count in whole milliseconds. A signal does not end it.
//
// Wait hands the processor over once every 100 microseconds, so a goroutine
// that always finds events does not starve others, whose timers the scheduler
// would look at after 10 to 40 milliseconds.
//
// # Backends
//
//	epoll   Linux                                    a call costs by what is ready
//	kqueue  darwin, ios, dragonfly, freebsd,
//	        netbsd, openbsd                          the same
//	ports   solaris, illumos                         the same
//	afd     Windows                                  the same, for sockets alone
//	poll    every Unix                               a call costs by what is registered
//
// New takes the platform's best one, or the one that the environment variable
// STATOR_POLLER names. Elsewhere it answers ErrUnsupported. Package conformance
// has the cases that all of them meet, and go test prints which of them ran. A
// model is no platform: it runs a backend's code over Linux's descriptors.
//
// On Linux, + ran and - was skipped, by number:
//
//	                               5   10   15   20   25   30   35   40   45
//	epoll                      +++++++++++++++++++-+++++++++++++++++++++++++
//	poll                       +++++++++++++++++++-+++++++++++++++++++++++++
//	epoll without eventfd      +++++++++++++++++++-+++++++++++++++++++++++++
//	kqueue (model)             +++++++++++++++++++-+++++++++++++++++++++++++
//	kqueue with a bell (model) +++++++++++++++++++-+++++++++++++++++++++++++
//	ports (model)              +++++++++++++++++++-+++++++++++++++++++++++++
//	20 a machine that reads a byte a call is called until it is done: epoll, poll, epoll without eventfd, kqueue (model), kqueue with a bell (model), ports (model): no loop that calls machines
//
// On Windows, as Wine 8 has it, + ran and - was skipped, by number:
//
//	        5   10   15   20   25   30   35   40   45
//	afd +++-+++++++++++++++-++++++-++--+++++++++---++
//	 4 an interrupted wait goes on with the rest of its time: afd: no interruption
//	20 a machine that reads a byte a call is called until it is done: afd: no loop that calls machines
//	27 out of descriptors, accepting neither spins nor stops for good: afd: no limit of descriptors
//	30 a reset: afd: Wine takes the error itself, so that a read answers the end
//	31 what was sent before a hang-up is readable after it: afd: Wine does not notice the end before the data is read
//	41 UDP: empty datagrams, truncation, connected or not: afd: Wine has no event for a datagram that was refused
//	42 unix sockets: stream, datagram, pair, abstract name: afd: no unix socket
//	43 pipes: reader gone, writer gone, a child's: afd: no pipe that can be waited for
//
// # Cost
//
// Nothing allocates but New, NewWaker, Register as its tables grow, and errors.
// A Wait that finds events costs a system call, and one that parks after one
// that parked costs two and the runtime's switch; between the two kinds lies
// another call. A timeout adds one when its deadline is earlier than the timer
// in the kernel. A call fetches at most 1,024 events, whatever
// the room. Descriptors used: epoll holds three and one for each Waker, kqueue
// one, or three on openbsd and netbsd, ports one, poll(2) two, afd two and one for
// every 32 sockets.
//
// With ports the next Wait makes a call for each event that the last one told,
// which is Rearm's as well, and without Edge looks at all of them by poll(2).
//
// With afd a Wait costs a call, and a socket one for each event and one more for
// a Rearm or Modify while nothing had come: the first is cancelled. Without Edge an
// event costs two, as the kernel's answer may be an old one by the time it is told.
//
// The shape is that of mio's Poll, Token and Waker; the manual pages epoll(7),
// kqueue(2) and poll(2) are the reference for what the kernel tells. That of
// Windows's own poll has no manual: its behaviour is what wepoll and mio count on.
// That of event ports is port_associate(3C), port_getn(3C) and port_send(3C).
package poll
