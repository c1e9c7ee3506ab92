package reactor

import (
	"net/netip"

	"github.com/stator-go/stator/reactor/poll"
)

// Sock is a row of a driver's table: one open descriptor. 0 is none. No
// descriptor number leaves a driver but through Release.
type Sock int32

// Flow is what a driver learned about a socket while it served a call. Only a
// Flow clears cached readiness: the driver alone knows what its backend proves.
type Flow uint8

const (
	Drained Flow = 1 << iota // nothing more to read until the next event
	Full                     // no room to write until the next event
	End                      // the peer's direction has ended
	Gone                     // both directions are over
)

// How names the directions that Shutdown ends.
type How uint8

const (
	ShutRead How = 1 << iota
	ShutWrite
)

// Net says what an Addr is an address of.
type Net uint8

const (
	NetNone Net = iota
	TCP
	UDP
	Unix     // stream
	Unixgram // datagram
	UnixPacket
)

// Addr is an address as a value: an IP and port, or a path ("@name" is abstract).
type Addr struct {
	Net  Net
	IP   netip.AddrPort
	Path string
}

// Opt are the options of a socket that is opened.
type Opt struct {
	Backlog   int  // of a listener; 0 is the system's largest
	ReusePort bool // several listeners may share the address
	V6Only    bool // a wildcard IPv6 address does not take IPv4
}

// MaxVec is how many pieces one Writev takes.
const MaxVec = 16

// Vec is a list of pieces of output.
type Vec struct {
	N int
	B [MaxVec][]byte
}

// Side is an end of a connection.
type Side uint8

const (
	Local Side = iota
	Remote
)

// Driver is what a loop asks of an operating system. There is one loop; what is
// simulated, or ported, is the driver. All methods but Wake belong to the loop's
// goroutine. A call that would block answers 0 and the Flow that says so, never
// an error. A read that ends answers 0 and End. Where the system brings no event for
// what a Flow said, the driver makes one by time: whoever it tells tries again.
type Driver interface {
	// Now is a monotonic clock in nanoseconds.
	Now() int64
	// Wait collects events, at the latest until the clock says until:
	// 0 only looks, math.MaxInt64 waits for ever. It may return early.
	Wait(dst []poll.Event, until int64) (int, error)
	// Wake ends a Wait that runs, or the next one. Any goroutine may call it.
	Wake()

	Listen(Addr, Opt) (Sock, error)
	Bind(Addr, Opt) (Sock, error)
	// Connect begins a connection: Full means that Finish is to be asked when
	// the socket is writable.
	Connect(Addr, Opt) (Sock, Flow, error)
	Finish(Sock) (Flow, error)
	Accept(Sock) (Sock, Flow, error)
	// Register starts events with this data; once, and after Connect.
	Register(s Sock, data uint64) error

	Read(Sock, []byte) (int, Flow, error)
	Write(Sock, []byte) (int, Flow, error)
	Writev(Sock, *Vec) (int, Flow, error)
	Recv(Sock, []byte) (int, Addr, Flow, error)
	Send(Sock, []byte, Addr) (int, Flow, error)

	// Unsent tells whether the peer has not acknowledged all that was written.
	Unsent(Sock) bool
	Shutdown(Sock, How) error
	Close(Sock) error
	Name(Sock, Side) (Addr, error)
	Traits(Sock) Traits
	// Adopt takes over a descriptor, Release gives one out.
	Adopt(uintptr) (Sock, error)
	Release(Sock) (uintptr, error)
	// Notify asks for signals, besides those asked for before: until End they are
	// given to came, on any goroutine, also during the call. When some can't be
	// caught it changes nothing, and the error names them.
	Notify(set Signals, came func(Signals)) error
	// End closes the driver itself, after all its sockets.
	End() error
}

// Traits are what a loop must know of a socket's nature.
type Traits uint8

const (
	Datagram  Traits = 1 << iota // reads and writes are whole messages
	Listening                    // Accept is what it is for
	ReadOnly                     // no output: a pipe's read end
	WriteOnly                    // no input: a pipe's write end
	Plain                        // closing it destroys no output on its way: pipes, terminals
	Paired                       // of a Datagram: its messages are a connection's, which has an end and errors
)
