package driver

import (
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
)

// Driver is what a loop asks of an operating system. All methods but Wake belong to
// the loop's goroutine.
//
// No call waits, except Wait. A call that would block returns 0 and a Flow that says
// so, never an error. A read at the end of the input returns 0 and ReadEnded. If the
// system has no event for the moment at which a call could succeed again, the driver
// makes one up after a while, so that the loop tries again.
type Driver interface {
	// Now returns a monotonic clock, in nanoseconds.
	Now() int64
	// Wait stores events in dst and returns how many. It returns at the latest when
	// the clock says until: 0 only looks, math.MaxInt64 waits without a bound. It may
	// return early, with no events.
	Wait(dst []poll.Event, until int64) (int, error)
	// Wake ends a running Wait, or the next one. Any goroutine may call it.
	Wake()

	// Listen opens a socket that accepts connections.
	Listen(Addr, SocketOptions) (Sock, error)
	// Bind opens a datagram socket with a local address.
	Bind(Addr, SocketOptions) (Sock, error)
	// Connect begins a connection. WriteBlocked means that it is under way: when the
	// socket is writable, FinishConnect says how it ended.
	Connect(Addr, SocketOptions) (Sock, Flow, error)
	// FinishConnect returns the outcome of a connection that was under way, and
	// WriteBlocked if it still is. Of any other socket it returns the pending error.
	FinishConnect(Sock) (Flow, error)
	// Accept takes a connection from a listening socket. After an error for which
	// Exhausted reports true the loop pauses; after any other it goes on.
	Accept(Sock) (Sock, Flow, error)
	// Register starts events for a socket, which carry data as their token. It is
	// called once, after Connect.
	Register(s Sock, data EventData) error

	Read(Sock, []byte) (int, Flow, error)
	Write(Sock, []byte) (int, Flow, error)
	Writev(Sock, *Vec) (int, Flow, error)
	// Recv reads one datagram and its sender's address; Send sends one.
	Recv(Sock, []byte) (int, Addr, Flow, error)
	Send(Sock, []byte, Addr) (int, Flow, error)

	// Unacked reports whether some of what was written may not have reached the
	// peer's system yet.
	Unacked(Sock) bool
	Shutdown(Sock, How) error
	Close(Sock) error
	// Addr returns the address of one side of a socket.
	Addr(Sock, Side) (Addr, error)
	Traits(Sock) Traits
	// Adopt makes a socket of a descriptor that the caller keeps. Release gives up a
	// registered socket, and returns a descriptor that the caller has to close.
	Adopt(uintptr) (Sock, error)
	Release(Sock) (uintptr, error)
	// Notify asks for signals, in addition to those asked for before. Until End, came
	// is called with those that arrived, on any goroutine, perhaps during Notify. If
	// some can't be caught, Notify changes nothing and the error names them.
	Notify(set sig.Set, came func(sig.Set)) error
	// End closes the driver itself, after all its sockets.
	End() error
}

// Sock identifies an open socket, pipe or terminal of a driver; 0 is none. It is the
// number of a row in the driver's table: a descriptor number leaves a driver only
// through Release.
type Sock int32

// Flow is what a driver learned about a socket during a call. The loop clears its
// cached readiness only on a Flow, as only the driver knows what a call proves on its
// system: a short read, for example, proves nothing on some of them.
type Flow uint8

const (
	ReadBlocked  Flow = 1 << iota // nothing more to read until the next event
	WriteBlocked                  // no room to write until the next event
	ReadEnded                     // the peer ended its direction
	BothEnded                     // both directions are over
)

// How names the directions that Shutdown ends.
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
// the usual socket.
type SocketOptions struct {
	Backlog   int  // connections that may wait to be accepted; 0: the system's maximum
	ReusePort bool // several listeners may share the address
	V6Only    bool // a wildcard IPv6 address does not accept IPv4
}

// Traits are the properties of a socket that a loop has to know.
type Traits uint8

const (
	Datagram    Traits = 1 << iota // a read or write is one whole message
	Sequenced                      // of a Datagram: the messages of one connection, which has an end and errors
	Listening                      // it accepts connections
	ReadOnly                       // it has no output: the read end of a pipe
	WriteOnly                      // it has no input: the write end of a pipe
	KeepsOutput                    // closing it loses no output on its way: pipes, terminals
)

// MaxVec is the number of pieces that one Writev takes.
const MaxVec = 16

// Vec is output in N pieces, for Writev.
type Vec struct {
	N int
	B [MaxVec][]byte
}
