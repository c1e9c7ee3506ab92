// Package reactor runs state machines over readiness events: one loop waits for
// descriptors, deadlines, messages and signals, and calls the handlers of the
// machines that they are for.
//
// # A machine
//
// A machine is a struct and a table of rows, one a state; package fsm says what a
// row is. NewKind checks the table and makes a Kind of it; Listen, Spawn and Adopt
// make machines of that kind, each a copy of a prototype in a slot that was there
// from the start. Configuration, shared stores and whatever else a machine needs
// travel in the prototype.
//
//	kind := reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}},
//		reactor.Table[conn, reactor.None]{
//			fsm.Any: {Shutdown: fsm.Stop},
//			echoing: {Name: "echoing", Wait: peer.Readable().While(peer.Room()),
//				Idle: fsm.After(time.Minute, fsm.Stop), Ready: (*conn).echo},
//		}))
//
// A handler gets the machine, a Context, and the event, and answers the state to
// go to; Stay is no transition. It runs to completion on the loop's goroutine, so
// a machine's state needs no lock, and must not block: while it runs, nobody else
// on the loop does. Handlers are best written as method expressions, (*conn).echo:
// a method value allocates.
//
// # When a handler is called
//
// Ready is called while what the row waits for is ready, its gates are open, and
// the last call made progress: bytes moved, a transition, a message sent. After a
// call without progress it is called again only when something new came. So a
// handler may take one byte a call, or decline to read, and neither starves nor
// spins. A machine has Config.Steps calls a turn, then the next one has its own.
//
// A turn of the loop is always: wait; readiness; expired deadlines; what other
// goroutines asked for; ends of monitored machines; messages; signals; machines
// that are ready. Nothing else calls a machine.
//
// # Ports
//
// A machine owns up to four descriptors, its ports. Underneath they are
// edge-triggered; what a machine sees is a level. Peek shows the input that is not
// consumed, in one piece, and what Discard leaves is kept and shown again when
// there is more of it, or to another state; Read fills a buffer, which may lie on
// the stack. Write gathers output, which is sent when the machine's turn ends, and
// holds what the kernel does not take, up to Options.WriteBuffer; the gate Room closes
// at half of that. An idle port holds no memory.
//
// The end of input is io.EOF, told once, after the last byte. Errors are sticky:
// an error that comes while the machine does not read leads to its row's Fail all
// the same. Every error can be given to Context.Fail, which answers the state that
// it leads to and Stay for ErrWouldBlock, so that most handlers end with it.
//
// # Deadlines
//
// Within bounds a stay, however busy; Idle bounds silence, and is renewed by bytes
// and messages, never by a call that moved nothing (where messages are not to renew it,
// a named timer serves); Stall bounds output that does
// not move; Within of row Any bounds the machine's life. A turn reads the clock once:
// what came in it came when it began. Named timers are declared
// in Options.Timers, armed by handlers, and end with the state that armed them
// unless their spec lists others. None fires early; late by at most the loop's
// Resolution, the granularity of the system's sleep, and the work already due.
//
// # Messages
//
// A Ref is the typed address of a machine. Send copies a value into its mailbox
// from any goroutine and answers at once: nil, ErrFull, ErrStale or ErrClosed.
// Options.Mailbox bounds what waits for one machine, those included that
// Row.Defer or fsm.Defer keep back; Options.Queue what is on its way to all
// machines of the kind on a loop. Post is Send from a handler: when it is refused,
// the gate fsm.Sendable is closed until there is room; of the machines that wait for
// it, as many are called as there is room for.
//
// Message types whose fields are plain scalars, strings and slices travel in
// registers; a struct with an array in it is copied through memory.
//
// # Ends
//
// Answering Stop ends a machine: the Exit of its row and of row Any run, what was
// written is flushed within Options.Linger, ports close, and the slot is free from
// the next turn on, under another generation, so that whatever still means the old
// machine is ErrStale or counted. Input that comes meanwhile is read and dropped,
// as a close with unread input would make the kernel destroy what was sent. A
// panic in a handler, or a Goexit, ends that machine alone. Options.OnEnd is told
// why each machine ended, and may panic as a handler may; without it, and without a
// Config.Observer, panics are written to package log; the OnDown handlers of those
// that asked by Monitor are told, too.
//
// Loop.Shutdown leads each machine where its row's Shutdown says once nothing is
// ready for it; ending Run's context stops all at once. Either way Run returns with
// every descriptor closed.
//
// # What a loop does not do
//
// Work that blocks, a query or a disk, belongs to a goroutine of its own, which
// answers by Ref.Send. TLS is not spoken: put a proxy in front.
//
// # Several loops
//
// A loop uses one core. For more, run more loops; with Options.ReusePort each of them
// listens at the same address, and the system spreads connections over them. A
// Ref.Send reaches machines of any loop. What prototypes of several loops share wants
// a lock; a store for each loop wants none.
//
// # Limits
//
// Everything has a limit, set at the start in Config and Options: slots, timers,
// messages, events and calls a turn, bytes held by a port and by all. At a limit
// the caller gets ErrFull, or the source pauses: accepting rests while slots or
// descriptors are used up, Peek and Copy while Config.Buffers are, and they resume by
// themselves. So does a machine that answers Stay to a Write that was refused. Once
// warm, nothing allocates: not reading, writing, peeking, timers, messages,
// accepting or closing.
//
// # Memory
//
// An idle connection costs some 110 bytes resident beside its machine's struct:
// its slot, a cache line; its port; its row of the driver; its node of the wheel.
//
// # Drivers
//
// The operating system is an interface, Driver. Config.Driver puts another one
// under the same loop: a simulated one with a clock of its own, say. Every Unix and
// Windows have one; elsewhere NewLoop answers ErrUnsupported unless Config.Driver is
// set. On Linux the loop sleeps in Go's own poller, without a thread of its own;
// elsewhere it blocks one. What else is not the same:
//
//   - Options.ReusePort spreads connections on Linux, FreeBSD and DragonFly BSD. Where the
//     system would give all to one listener it is ErrUnsupported.
//   - On Windows there are TCP and UDP alone, and the file that Release gives out is for
//     net.FileConn and its like, which take a duplicate: its own Close is not Winsock's.
//   - Names of unix sockets that are no files, "@name", are Linux's: ErrUnsupported
//     elsewhere. So is unixpacket where the kernel has no such sockets.
//   - On OpenBSD and DragonFly BSD a socket of IPv6 takes no connection of IPv4: there
//     ":80" is every address of IPv4.
//   - Outside Linux and Windows accept, and the address of a datagram, allocate.
//   - On macOS a FIFO is ErrNotPollable, as its end would go unnoticed, and so is /dev/tty,
//     but not the terminal by its own name.
//   - Where a pipe's ends are open both ways, CloseWrite closes the end, and that its
//     reader is gone is told by the next write.
//   - A dial to a unix socket whose backlog is full waits on Linux, and is ErrRefused
//     where the kernel refuses it.
//   - Where the system does not tell whether a peer has acknowledged what was written,
//     a port whose machine ended waits for 250 ms after its last write: OpenBSD,
//     DragonFly BSD, Solaris, AIX, Windows.
package reactor
