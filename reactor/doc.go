// Package reactor runs state machines over readiness events. A loop waits on one
// goroutine for sockets, deadlines, messages and signals, and calls the handlers of the
// machines that they are for. A connection is a struct in a preallocated slot: it needs
// no goroutine, and no buffer while it is idle.
//
// # Machines
//
// A machine is a value of a type of yours, and a table that says what it does. The
// table has a row for each state: what the state waits for, its deadlines, its handlers,
// and the states that these may return. [fsm.Row] describes the fields of a row.
//
//	kind := reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}},
//		reactor.Table[conn, reactor.None]{
//			fsm.Any: {Shutdown: fsm.Stop},
//			echoing: {Name: "echoing", Wait: peer.Readable().While(peer.Room()),
//				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*conn).echo},
//		}))
//	listener, err := kind.Listen(loop, "tcp", ":7000", conn{})
//
// [NewKind] checks the table and makes a [Kind] of it. Kind.Listen, Kind.Spawn and
// Kind.Adopt make machines of that kind. Each starts as a copy of a prototype, here
// conn{}: configuration, and stores that machines share, travel in it.
//
// A handler gets the machine, a [Context] and the event. It returns the next state, or
// fsm.Stay. It runs on the loop's goroutine until it returns, so a machine's state needs
// no lock; and it must not block, as all other machines of the loop wait meanwhile.
// Work that blocks, such as a query or a disk, belongs to a goroutine of its own that
// sends its result by [Ref.Send]. Write handlers as method expressions, (*conn).echo: a
// method value, m.echo, allocates.
//
// # When OnReady is called
//
// OnReady is called while something that the row waits for is ready, its gates are
// open, and the last call made progress: it moved bytes, changed the state, or sent a
// message. After a call without progress, OnReady is called again only when something
// new has come. So a handler may take one byte per call, or none: it neither starves
// nor spins. A machine gets at most Config.Steps calls per turn, then the next machine
// has its turn.
//
// A turn of the loop is always: wait; readiness; expired deadlines; requests of other
// goroutines; ends of monitored machines; messages; signals; machines that are ready.
// Nothing else calls a machine.
//
// # Ports
//
// A machine owns up to four descriptors, its ports, which are named by small constants.
//
// For input, [IO.Peek] returns everything that is not consumed, in one piece, and
// [IO.Discard] consumes some of it. The rest is kept: it is returned again when more has
// come, or in another state. [IO.Read] fills a buffer of the caller's, which may lie on
// the stack. The end of input is io.EOF, returned once, after the last byte.
//
// For output, [IO.Write] gathers bytes, which are sent when the machine's run ends.
// Bytes that the kernel does not take are held, at most Options.WriteBuffer of them. The
// gate Room is closed from half of that on: a row that waits for
// peer.Readable().While(peer.Room()) reads nothing from a peer that does not read.
//
// Errors are sticky. An error that comes while the machine does not read leads to the
// row's Fail as well. Every error can be passed to [IO.Fail], which returns the state
// that it leads to, and fsm.Stay for ErrWouldBlock, so most handlers end with it.
//
// # Deadlines
//
// Within bounds how long a machine stays in a state, however busy it is. Idle bounds
// silence: bytes and messages renew it, calls that move nothing do not. Stall bounds how
// long written bytes may not move. Within in row Any bounds the machine's life. Each
// names the state that it leads to.
//
// Named timers are declared in Options.Timers and started by [IO.Arm]. They end with the
// state that started them, unless their TimerSpec lists other states.
//
// A turn reads the clock once, when it begins. No deadline is early. It is late by at
// most the loop's Resolution, the granularity of the system's sleep, and the work that
// is already due.
//
// # Messages
//
// A [Ref] is the typed address of a machine. [Ref.Send] copies a value into its mailbox
// from any goroutine, and returns at once: nil, ErrFull, ErrStale or ErrClosed.
// [Ref.Post] is Send from a handler: after it was refused, the gate fsm.Sendable is
// closed until there is room.
//
// Options.Mailbox bounds the messages that wait for one machine, those that its states
// Defer included. Options.Queue bounds the messages on their way to all machines of the
// kind on a loop.
//
// Message types whose fields are scalars, strings and slices travel in registers. A
// struct with an array in it is copied through memory.
//
// # Ends
//
// Returning fsm.Stop ends a machine. OnExit of its row and of row Any run; what was
// written is sent, within Options.Linger; the ports close; from the next turn on the
// slot is free, under another generation, so that a Ref to the old machine is ErrStale.
// Input that comes meanwhile is read and dropped, as closing a socket with unread input
// makes the kernel destroy output that the peer does not have yet.
//
// A panic in a handler, or a Goexit, ends that machine alone. Options.OnEnd is called
// with the reason of each end, and so are the OnDown handlers of machines that asked for
// it by [IO.Monitor]. Without Options.OnEnd and Config.Observer, panics are written to
// package log.
//
// [Loop.Shutdown] leads each machine where its row's Shutdown says, once nothing is
// ready for it. When the context of [Loop.Run] ends, all machines are stopped at once.
// Either way Run returns when every descriptor is closed.
//
// # Several loops
//
// A loop uses one core. To use more, run more loops. With Options.ReusePort each of them
// listens at the same address, and the system distributes connections. Ref.Send reaches
// machines of any loop. What the prototypes of several loops share needs a lock; a store
// for each loop needs none.
//
// # Limits
//
// Everything has a limit, which [Config] and [Options] set at the start: slots, timers,
// messages, events and calls per turn, bytes held by a port and by all ports. At a limit
// the caller gets ErrFull, or the source pauses and resumes by itself: accepting while
// slots or descriptors are used up, Peek and Copy while Config.Buffers have no room for the
// machine, and a machine that returns fsm.Stay after a refused Write. Config.Buffers are
// shared so that machines with slow peers can't stop the others. Once warm, nothing
// allocates: not reading, writing, timers, messages, accepting or closing.
//
// An idle connection costs some 110 bytes besides its machine's struct: a slot of one
// cache line, its port, its row in the driver, and its node in the timer wheel.
//
// # Examples
//
// The examples below are a server of lines (package), a counter that is sent messages from
// other goroutines (Ref.Send), a room in which one machine sends to many (Ref.Post), a
// traffic light of deadlines (Kind.Spawn), a proxy (IO.Dial) and a UDP server (IO.ReadFrom).
// The folder examples has whole programs.
//
// # Not in this package
//
// TLS: put a proxy in front. HTTP and other protocols: the examples have some.
//
// # Platforms
//
// The loop runs on Linux, macOS, the BSDs, Solaris, illumos, AIX and Windows. Elsewhere
// NewLoop returns ErrUnsupported, unless Config.Driver is set to a [driver.Driver]: the
// operating system is an interface, and package fuzz has a simulated one. On Linux an
// idle loop is parked in Go's own network poller, without a thread; elsewhere it blocks
// one. Other differences:
//
//   - Options.ReusePort works on Linux, FreeBSD and DragonFly BSD. It is ErrUnsupported
//     where the system would give all connections to one listener.
//   - Windows has TCP and UDP only. The file that Release returns there is for
//     net.FileConn and the like, which take a duplicate: its own Close is not Winsock's.
//   - Abstract names of unix sockets, "@name", exist on Linux only: ErrUnsupported
//     elsewhere. So is unixpacket where the kernel has no such sockets.
//   - On OpenBSD and DragonFly BSD an IPv6 socket accepts no IPv4 connections: there
//     ":80" is every IPv4 address.
//   - Outside Linux and Windows, accepting and the address of a datagram allocate.
//   - On macOS a FIFO is ErrNotPollable, as its end would go unnoticed. So is /dev/tty,
//     but not the terminal by its own name.
//   - Where both ends of a pipe can be read and written, CloseWrite closes the end, and
//     the next write finds out that its reader is gone.
//   - A dial to a unix socket whose backlog is full waits on Linux. It is ErrRefused
//     where the kernel refuses it.
//   - Where the system does not say whether a peer has acknowledged what was written, a
//     port whose machine has ended waits 250 ms after its last write: OpenBSD, DragonFly
//     BSD, Solaris, AIX, Windows.
//
// [fsm.Row]: https://pkg.go.dev/github.com/stator-go/stator/fsm#Row
// [driver.Driver]: https://pkg.go.dev/github.com/stator-go/stator/reactor/driver#Driver
package reactor
