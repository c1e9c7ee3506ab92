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
// new has come. So a handler may consume as little as it likes, or nothing: it does not
// miss input, and it is not called again and again for nothing.
//
// A call does not prove that there is input: the system may report readiness that is not
// there, or that is over. Only what a read returns counts. A handler that takes a call
// itself for a sign of life, and reads nothing, is wrong.
//
// The calls of one machine in a turn are its run, at most Config.Steps of them. Then the
// next machine runs. What a machine writes is gathered during its run, and sent at the end
// of it.
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
// For output, [IO.Write] gathers bytes, which are sent when the machine's run ends. Bytes
// that the kernel does not take are held, at most Options.WriteBuffer of them. The gate Room
// is closed from half of that on: a row that waits for peer.Readable().While(peer.Room())
// reads nothing from a peer that does not read. A reply that is larger than all of that is
// written in pieces: write until ErrFull, and stay in a row that waits for peer.Drained(),
// whose OnReady is called when all pieces have been sent.
//
// Errors are sticky. An error that comes while the machine does not read leads to the
// row's Fail as well. Every error can be passed to [IO.Fail], which returns the state
// that it leads to, and fsm.Stay for ErrWouldBlock, so most handlers end with it.
//
// # Deadlines
//
// Each deadline of a row names the state that it leads to:
//
//	Within  bounds the stay in the state, however busy the machine is; IO.Within
//	        changes it in a handler; in row Any it bounds the machine's life
//	Idle    bounds the time without input and messages
//	Stall   bounds the time in which written bytes do not move
//
// Only input and messages renew Idle. Output, named timers, signals and OnDown do not: for
// a peer that takes no output use Stall.
//
// Named timers are declared in Options.Timers and started by [IO.Arm]. They end with the
// state that started them, unless their TimerSpec lists other states.
//
// Expired deadlines are taken once per turn. Within and named timers run from the moment
// they start, Idle from the beginning of the turn in which input or a message came. No
// deadline is early. It is late by at most Config.Resolution, the granularity of the
// system's sleep, and the work that is already due.
//
// # Messages
//
// A [Ref] is the typed address of a machine. [Ref.Send] copies a value into its mailbox
// from any goroutine, and returns at once: nil, ErrFull, ErrStale or ErrClosed.
// [Ref.Post] is Send from a handler: after it was refused, the gate fsm.Sendable is
// closed until there is room.
//
// A message needs room in two limits. Options.Mailbox bounds the messages that were
// accepted for one machine and are not handled yet, deferred ones included. Options.Queue
// bounds those that were accepted for all machines of the kind on a loop and are not yet
// taken by the loop.
//
// What a machine must get, such as the reply to a request, has the same mailbox as what it
// may miss. So let a machine send no more requests than its mailbox has room for replies,
// such as one at a time: while a state does not wait for input, that is kept.
//
// Messages are copied: keep them small.
//
// # Ends
//
// Returning fsm.Stop ends a machine:
//
//  1. OnExit of its row and of row Any run.
//  2. Its named timers stop, and its mailbox closes: Send and Post are ErrStale from now
//     on, and messages that were not handled are counted in Stats.Dead.
//  3. Options.OnEnd is called with the reason. Machines that asked for it by [IO.Monitor]
//     get it as OnDown, in this turn or the next.
//  4. Output that is held is sent, until all of it is or Options.Linger has passed. Input
//     that comes meanwhile is read and dropped, as closing a socket with unread input makes
//     the kernel destroy output that the peer does not have yet.
//  5. The ports close. The peer finds the end of the stream, but a reset if the machine
//     ended by an error of another port: what it got may be a part of the whole. So the
//     client of a proxy finds a reset if upstream's connection broke.
//  6. At the end of the turn the slot is free, under another generation. Until then the
//     machine counts toward Config.Slots, Options.MaxMachines and Stats.Machines.
//
// A panic in a handler, or a Goexit, ends that machine alone; output that it holds is
// dropped. Without Options.OnEnd and Config.Observer, panics are written to package log.
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
// Everything has a limit, which [Config] and [Options] set at the start. At a limit the
// caller gets an error, or the source pauses and resumes by itself:
//
//	limit                   what happens                           resumes when
//	Config.Slots,           Spawn, Adopt: ErrFull                  a slot is freed
//	Options.MaxMachines     accepting pauses
//	descriptors             Dial, Adopt: the system's error        a port closes; accepting also
//	                        accepting pauses                       after 50 ms
//	Options.ReadBuffer      Peek: ErrFull                          input is consumed
//	Options.WriteBuffer     Write: ErrFull, nothing is taken       output was sent
//	                        from half of it on, Room is closed
//	Config.Buffers          Write: ErrFull, nothing is taken       ports hold less
//	                        Peek, Copy: ErrWouldBlock
//	Options.Mailbox,        Send, Post: ErrFull                    messages are handled
//	Options.Queue           after Post, Sendable is closed
//	Config.Timers,          Arm, ArmID: ErrFull                    a timer fires or stops
//	TimerSpec.Many
//	Config.Monitors         Monitor: ErrFull                       a monitored machine, or one that
//	                                                               monitors, ends
//	Config.Events, Accepts, the rest waits                         the next turn
//	Batch, Steps
//
// A machine whose Write, Post or Copy was refused, and that returns fsm.Stay without
// consuming the input, is called again when there is room. Accepting also pauses for 50 ms
// after more than 8 accepts in a row have failed. Config.Buffers is shared so that machines
// with slow peers can't stop the others: see [Config].
//
// On Linux, reading, writing, timers, messages, accepting and closing do not allocate, once
// the loop has reached its peak load.
//
// An idle connection costs some 110 bytes besides its machine's struct: a slot of one
// cache line, its port, its entry in the driver, and its node in the timer wheel.
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
//   - macOS, NetBSD, OpenBSD, Solaris, illumos, AIX and Windows: Options.ReusePort is
//     ErrUnsupported, as the system would give all connections to one listener. Use one
//     loop to listen at an address.
//   - Windows: TCP and UDP only. Pass the file that Release returns to net.FileConn or the
//     like, which take a duplicate: its own Close is not Winsock's.
//   - All but Linux: abstract names of unix sockets, "@name", are ErrUnsupported: use a path.
//   - macOS, and other systems whose kernel has no such sockets: unixpacket is
//     ErrUnsupported. Use unix.
//   - OpenBSD, DragonFly BSD: an IPv6 socket accepts no IPv4 connections, and ":80" is
//     every IPv4 address. For IPv6, listen at "[::]:80" on tcp6 as well.
//   - OpenBSD: the system alone sets the times and the count of Options.KeepAlive.
//   - All but Linux and Windows: accepting and the address of a datagram allocate.
//   - macOS: a FIFO is ErrNotPollable, as its end would go unnoticed: use a unix socket. So
//     is /dev/tty: open the terminal by its own name.
//   - FreeBSD, DragonFly BSD, Solaris, illumos: both ends of a pipe can be read and written.
//     CloseWrite closes such an end, so its input ends, too. The machine at the other end
//     finds out at its next write.
//   - All but Linux: a dial to a unix socket whose backlog is full may be ErrRefused: dial
//     again later. On Linux it waits.
//   - OpenBSD, DragonFly BSD, Solaris, illumos, AIX, Windows: the system does not say whether
//     a peer has acknowledged what was written. So a port of TCP whose machine has ended stays
//     open for up to 250 ms after its last write.
//
// [fsm.Row]: https://pkg.go.dev/github.com/stator-go/stator/fsm#Row
// [driver.Driver]: https://pkg.go.dev/github.com/stator-go/stator/reactor/driver#Driver
package reactor
