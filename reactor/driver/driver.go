package driver

import (
	"time"

	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// Driver is what a loop asks of an operating system. The package comment says which
// goroutine calls it, when events are due, and who owns buffers.
//
// A call that would block is no error: it returns 0 and a blocked Flow. If the system
// has no event for the moment at which the call can succeed, the driver has to make one
// up after a while, so that the loop tries again.
type Driver interface {
	// Now returns a monotonic clock, in nanoseconds. Where it starts is the driver's
	// choice.
	Now() int64
	// Wait stores events in dst, which is not empty, and returns how many. If dst is
	// full there may be more: the next Wait returns those.
	//
	// It blocks until there is an event, Wake is called, or Now has reached until. If
	// until is 0 it does not block; math.MaxInt64 is no bound. It may return early,
	// without events. An error is fatal: the loop panics with it.
	Wait(dst []poll.Event, until int64) (int, error)
	// Wake ends a Wait. If a Wait blocks, it returns. If none does, the next Wait that would
	// block returns at once; but a Wait with until 0 that comes before may use the Wake up.
	// Any goroutine may call Wake at any time; after End it does nothing. Wake need not be an
	// event; the loop ignores one with SourceWaker.
	Wake()

	// Listen opens a socket that accepts connections: TCP, Unix or UnixPacket. If the
	// address has port 0 the driver chooses one, which Addr returns.
	Listen(Addr, SocketOptions) (Sock, error)
	// Bind opens a datagram socket with a local address: UDP or Unixgram. Port 0 is as
	// for Listen.
	Bind(Addr, SocketOptions) (Sock, error)
	// Connect begins a connection. Flow 0 says that it is established. WriteBlocked says
	// that it is under way: when it is established or has failed, there has to be an event
	// with Writable, WriteClosed or Error, and the loop calls FinishConnect. A datagram
	// socket is connected at once: the address is where Write sends. After an error no
	// socket is left open. If nothing listens at the address, the error, of Connect or of
	// FinishConnect, is ErrRefused; also if the system connects the socket to itself.
	Connect(Addr, SocketOptions) (Sock, Flow, error)
	// FinishConnect returns nil if a connection that was under way is established, and
	// otherwise why it failed. WriteBlocked says that it is still under way, and that another
	// event will come. For a socket that was connected before, it returns the error that an
	// event has announced, or nil. It does not close the socket.
	FinishConnect(Sock) (Flow, error)
	// Accept returns the next connection of a listening socket, which is not registered
	// yet, or 0 and ReadBlocked. Beside a socket the Flow is not looked at.
	//
	// An error is that of one connection, and the loop calls Accept again at once. But it
	// pauses if Exhausted reports true, and after more than 8 errors in a row: until it has
	// closed a port or freed a slot, or for 50 ms. Then it calls Accept without an event.
	Accept(Sock) (Sock, Flow, error)
	// Register starts the events of a socket, which carry data as their Token. It is
	// called once, and before any other call on the socket but Traits, Addr and Close.
	// The outcome of a connection that has one already is an event after Register.
	// ErrNotPollable says that the system has no events for this kind of file. After an
	// error the loop closes the socket.
	Register(s Sock, data EventData) error

	// Read reads into a buffer and returns how many bytes, and what the call proved. At
	// the end of the input it returns 0 and ReadEnded, and at an error 0, BothEnded and
	// the error; later calls return 0 and ReadEnded. With an empty buffer it returns 0 and
	// proves nothing.
	//
	// Of a stream, n is 0 only with a Flow or an error. Of a datagram socket, Read takes
	// one datagram, without what does not fit; 0 bytes without a Flow are an empty one.
	Read(Sock, []byte) (n int, flow Flow, err error)
	// Write writes a buffer and returns how many bytes were taken, also with an error.
	// If not all were, WriteBlocked says that there was no room for the others; without
	// it the loop goes on at once. A datagram is taken whole or not at all.
	//
	// A connection is over after an error. An error of a datagram is not that of its
	// socket. A peer that is gone is an error, and not a signal to the process.
	Write(Sock, []byte) (n int, flow Flow, err error)
	// Writev is Write of the first N pieces of v, at least one, as if they were joined.
	// The loop does not use it for datagrams.
	Writev(Sock, *Vec) (n int, flow Flow, err error)
	// Recv is Read, and returns the address of the datagram's sender, or the zero Addr.
	// What happened to earlier datagrams that were sent, such as an ICMP message, is not
	// an error of Recv or Read.
	Recv(Sock, []byte) (n int, from Addr, flow Flow, err error)
	// Send is Write of a datagram to an address.
	Send(Sock, []byte, Addr) (n int, flow Flow, err error)

	// Unacked reports whether the peer's system may lack some of what was written to a
	// connection. The loop asks before it closes a connection whose peer may still send:
	// in most systems a close with unread input is a reset, which discards that output.
	// No event is due when it changes: the loop asks again every few milliseconds. A driver
	// that cannot know may return true for some time after each write.
	Unacked(Sock) bool
	// Shutdown ends directions of a socket. The loop calls it for the output, once, when
	// all output was written; input goes on. A connection that is over already is no
	// error, nor is a file without a direction to end, such as a terminal.
	Shutdown(Sock, How) error
	// Close closes a socket. What was written before still goes out. The socket has no
	// events any more. The path to which Listen or Bind bound a unix socket is removed,
	// unless it is another's by now.
	Close(Sock) error
	// Reset closes a socket so that its peer finds a reset and not an end, if the kind of
	// socket has resets. Output that the peer does not have yet is lost.
	Reset(Sock) error
	// Addr returns the address of one side of a socket.
	Addr(Sock, Side) (Addr, error)
	// Traits returns the properties of a socket, which are the same from its opening to
	// its end. The loop does not cache them: the call should be cheap.
	Traits(Sock) Traits

	// Adopt makes a socket of a descriptor that was opened elsewhere. The descriptor
	// stays the caller's, who may close it: the driver uses a duplicate, or opens the file
	// anew. ErrNotPollable says that the system has no events for this kind of file.
	Adopt(uintptr) (Sock, error)
	// Release gives up a registered socket without closing it, and returns its descriptor,
	// which is the caller's to close. If the descriptor that it was adopted from blocked, so
	// does this one.
	Release(Sock) (uintptr, error)
	// Notify asks for signals, in addition to those asked for before. Until End, came
	// is called with those that arrived, on any goroutine, perhaps during Notify. It does
	// not block, and it is the same in each call. If some can't be caught, Notify changes
	// nothing and the error names them.
	Notify(set sig.Set, came func(sig.Set)) error
	// End closes the driver itself, after all its sockets. It is called once.
	End() error
}

// Sock identifies an open socket, pipe or terminal of a driver; 0 is none. It is the
// driver's own number, and not a descriptor: a descriptor leaves a driver only through
// Release.
type Sock int32

// Flow is what a driver learned about a socket during a call: bits of a set. The loop
// clears its cached readiness only for a Flow, as only the driver knows what a call
// proves on its system. A short read, for example, proves on some systems that nothing
// is left.
type Flow uint8

const (
	// ReadBlocked says that there is nothing more to read until the next event. Beside
	// bytes it is a guess, which the loop does not trust after an event with ReadClosed,
	// WriteClosed, Error or Priority: then it reads again.
	ReadBlocked Flow = 1 << iota
	// WriteBlocked says that there is no room to write until the next event.
	WriteBlocked
	// ReadEnded says that the input is over: the loop does not read again.
	ReadEnded
	// BothEnded says that both directions are over; the error beside it says why.
	BothEnded
)

// How names the directions that Shutdown ends: bits of a set.
type How uint8

const (
	ShutRead How = 1 << iota
	ShutWrite
)

// Side is an end of a connection.
type Side uint8

const (
	Local Side = iota
	Remote
)

// SocketOptions are the options of a socket that is to be opened. The zero value is
// the usual socket. A driver that cannot do what an option asks for returns
// ErrUnsupported.
type SocketOptions struct {
	Backlog   int  // connections that may wait to be accepted; 0: the system's maximum
	ReusePort bool // several listeners may share the address: the system spreads connections over them
	V6Only    bool // a wildcard IPv6 address does not accept IPv4
	KeepAlive KeepAlive
}

// KeepAlive says how a connection of TCP finds out that its peer has lost power or the
// network. After Idle without a byte from the peer, its system is asked each Interval
// whether it is there; if it does not reply Count times, the connection ends with
// ETIMEDOUT. A connection dialled has the KeepAlive of its options, and one accepted that of
// its listener.
//
// The zero value has the defaults of package net: 15 s, 15 s and 9, so that a peer is found
// gone after 150 s. Times are rounded up to seconds. A system that can't set one of them
// uses its own.
type KeepAlive struct {
	Off            bool          // the peer is not asked
	Idle, Interval time.Duration // at most 32,767 s; 0: 15 s
	Count          int           // at most 127; 0: 9
}

// Traits are the properties of a socket that a loop has to know: bits of a set. A
// connection of TCP has none.
type Traits uint8

const (
	Datagram    Traits = 1 << iota // a read or write is one whole message
	Sequenced                      // of a Datagram: the messages of one connection, which has an end and errors
	Listening                      // it accepts connections
	ReadOnly                       // it has no output: the read end of a pipe
	WriteOnly                      // it has no input: the write end of a pipe
	KeepsOutput                    // closing it with unread input loses no output: pipes, terminals
	EventFirst                     // it is not readable until an event says so
)

// MaxVec is the number of pieces that one Writev takes at most.
const MaxVec = 16

// Vec is output in N pieces, for Writev.
type Vec struct {
	N int
	B [MaxVec][]byte
}

// Resolver is a Driver that looks up names itself, such as one of a simulated network. The loop
// of any other Driver asks the resolver of package net.
type Resolver interface {
	// LookUp begins to look up what IO.Dial got as an address: a name with a port, or an IP
	// address with the name of a port. It does not block. done is called once, on any
	// goroutine, with the addresses in the order in which they are to be tried.
	LookUp(network, addr string, done func([]Addr, error))
}
