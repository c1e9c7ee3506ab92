// Package poll reports which descriptors are ready, on every platform and without
// allocating. It watches sockets, pipes, terminals and whatever else the system can
// watch. Each descriptor has a token, 64 bits chosen by the caller, which its events
// carry.
//
//	p, err := poll.New()
//	err = p.Register(fd, token, poll.Readable)
//	for {
//		n, err := p.Wait(events, timeout)
//		for _, ev := range events[:n] {
//			// the descriptor with ev.Token is ready for ev.Ready
//		}
//	}
//
// The caller owns the descriptors, which should be nonblocking. The package does not
// read, write or close them. Use syscall.Conn to get the descriptors of package net; see
// the example of a listener.
//
// # Goroutines
//
// Only one goroutine at a time may call Wait; others get ErrBusy. All other methods may
// be called by any goroutine at any time. They take effect also for a Wait that is
// blocked. Memory written before Register, Modify or [Waker.Wake] is visible to the
// goroutine that gets the event. The zero Poller and the zero Waker cannot be used: see
// [New] and [NewWaker].
//
// # Level-triggered and edge-triggered events
//
// Without [Edge], each Wait reports a descriptor as long as it is ready.
//
// With Edge, Wait reports a descriptor when it becomes ready and need not report it
// again. After an event, use the descriptor until an operation would block, then call
// [Poller.Rearm] for that direction: only then is another event guaranteed. Events that
// report nothing new may come at any time. Some kernels have edges of their own: there,
// Rearm does nothing, and new data causes an event even if older data was not read. A
// program that relies on this works on these backends only.
//
// # Ends and errors
//
// A hang-up is the end of both directions. It and an error are reported whatever the
// interest, as Readable and Writable, because neither operation would block. With kqueue
// and afd it is different; see the notes below the table.
//
// R is Readable, W Writable, RC ReadClosed, WC WriteClosed, E Error:
//
//	                           epoll, poll on Linux  kqueue       afd
//	the peer half-closed       R RC                  R RC         R RC
//	hang-up                    R W RC WC             R RC, W WC   R RC
//	reset, connection refused  R W RC WC E           R W RC WC E  R W RC WC E
//	datagram refused           R W WC E              R            not tested
//	pipe without writer        R W RC WC             R RC         no pipes
//	pipe without reader        R W WC E              W WC         no pipes
//
// That the peer half-closed is reported only if the interest has Readable. In addition:
//
//   - kqueue reports each direction's own end, and only if the interest has that
//     direction. An error that ends a connection is reported for both directions.
//   - afd reports a hang-up in the same way as a peer that half-closed, and a reset
//     whatever the interest.
//   - ports, and poll outside Linux, convert the bits of poll(2): POLLHUP to R W RC WC,
//     POLLERR to R W WC E. The system decides which bits it sets. A peer that half-closed
//     is reported as R.
//
// # Removing
//
// Remove a descriptor before closing it. Then no later Wait reports it; [Drop] removes it
// from events that the last Wait has already returned.
//
// A descriptor that was closed without Remove is forgotten, and its number may be
// registered again, with these exceptions (kqueue has none):
//
//   - epoll: while a duplicate of the descriptor is open, in this process or a child,
//     epoll continues to report it, and nothing can stop that.
//   - poll and ports: a new descriptor with the same number may look the same to fstat,
//     as two eventfds do. Then Register returns ErrExist, and Modify changes the
//     registration of the old one.
//   - afd: the same is true of a new socket with the same addresses. With Edge, an event
//     may be reported that came before the close.
//
// Tokens with a generation, such as those of package slab, make all of these harmless.
//
// # Waiting
//
// With epoll, a Wait without events parks its goroutine in the poller of the Go runtime,
// as a read from a net.Conn does: it uses neither a thread nor a processor. With the
// other backends it blocks a thread in a system call. It keeps its processor until the
// runtime's monitor notices, so a goroutine that could run there waits between 20
// microseconds and some milliseconds.
//
// Without an event, Wait never returns before its timeout has passed. It is late by the
// delay of the scheduler and of the kernel's clock; afd, and poll(2) outside Linux, count
// in whole milliseconds. A signal does not end it.
//
// Wait yields the processor at most once per 100 microseconds. If it did not, a goroutine
// that always finds events would delay others, as the scheduler would check their timers
// only after 10 to 40 milliseconds.
//
// # Backends
//
//	backend  systems                                  cost of a Wait grows with
//	epoll    Linux                                    the events
//	kqueue   darwin, ios, dragonfly, freebsd,
//	         netbsd, openbsd                          the events
//	ports    solaris, illumos                         the events
//	afd      Windows, sockets only                    the events
//	poll     every Unix                               the registered descriptors
//
// New uses the best backend of the platform, or the one that the environment variable
// STATOR_POLLER names. On other systems it returns ErrUnsupported.
//
// Package drivertest has cases that all backends pass. The tables below show which of them
// ran; go test -v prints them. A model runs the code of a backend over descriptors of Linux,
// so it does not test the kernel of the backend's systems.
//
// On Linux, by number, + ran and - was skipped:
//
//	                               5   10   15   20   25   30   35   40   45
//	epoll                      +++++++++++++++++++-+++++++++++++++++++++++++
//	poll                       +++++++++++++++++++-+++++++++++++++++++++++++
//	epoll without eventfd      +++++++++++++++++++-+++++++++++++++++++++++++
//	kqueue (model)             +++++++++++++++++++-+++++++++++++++++++++++++
//	kqueue with a pipe (model) +++++++++++++++++++-+++++++++++++++++++++++++
//	ports (model)              +++++++++++++++++++-+++++++++++++++++++++++++
//	20 a machine that reads one byte per call is called until it is done: epoll, poll, epoll without eventfd, kqueue (model), kqueue with a pipe (model), ports (model): no loop that calls machines
//
// On Windows, as Wine 8 implements it, by number, + ran and - was skipped:
//
//	        5   10   15   20   25   30   35   40   45
//	afd +++-+++++++++++++++-++++++-++--+++++++++---++
//	 4 an interrupted wait continues until its timeout: afd: no interruption
//	20 a machine that reads one byte per call is called until it is done: afd: no loop that calls machines
//	27 out of descriptors, accepting neither spins nor stops for ever: afd: no limit of descriptors
//	30 a reset: afd: Wine fetches the error itself, so that a read returns the end
//	31 what was sent before a hang-up is readable after it: afd: Wine does not report the end before the data is read
//	41 UDP: empty datagrams, truncation, connected or not: afd: Wine has no event for a refused datagram
//	42 unix sockets: stream, datagram, pair, abstract name: afd: no unix socket
//	43 pipes: reader closed, writer closed, of a child: afd: no pipe that can be waited for
//
// # Cost
//
// Only New, NewWaker, Register when its tables grow, and errors allocate.
//
// A Wait returns at most 1,024 events, but with poll as many as fit. The descriptors that
// a Poller uses, and the system calls of a Wait that does not start with a pending change:
//
//	backend  descriptors                       system calls of a Wait
//	epoll    3, and 1 per Waker                see below
//	kqueue   1; 3 on openbsd and netbsd        1
//	ports    1                                 1, and 1 per event of the last Wait
//	poll     2                                 1
//	afd      2, and 1 per 32 sockets           1, and 1 per event of the last Wait
//
// With epoll, a Wait parks if it finds no event, and is likely to park if the last one
// did. So its system calls, besides those of Go's poller, depend on both:
//
//	                   last Wait found events   last Wait parked
//	finds events       1                        2
//	parks              4                        2, and a switch of goroutines
//
// A timeout costs one more if its deadline is before the one the kernel's timer is set to.
//
// With ports, the call per event also does the work of Rearm. Without Edge, each Wait with
// events also costs a call of poll(2).
//
// With afd, a Rearm or Modify of a socket without an event costs one more call, which
// cancels the pending request. Without Edge, each event costs one more, as the result that
// the kernel returns may be out of date.
//
// # Origin
//
// The design is that of mio's Poll, Token and Waker. What the kernels report is described
// by the manual pages epoll(7), kqueue(2), poll(2), port_associate(3C), port_getn(3C) and
// port_send(3C). Windows does not document the requests that afd uses; their behaviour is
// what wepoll and mio rely on.
package poll
