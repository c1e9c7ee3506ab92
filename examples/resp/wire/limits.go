package wire

import (
	"fmt"
	"math"
)

// Error is a violation of the protocol. Its text is the error reply that the client gets
// before its connection is closed.
type Error string

func (e Error) Error() string { return string(e) }

// The violations, in the words of redis-server 7, except ErrCommand: there redis-server
// closes the connection without a reply.
const (
	ErrInline      Error = "ERR Protocol error: too big inline request"
	ErrQuotes      Error = "ERR Protocol error: unbalanced quotes in request"
	ErrCountString Error = "ERR Protocol error: too big mbulk count string"
	ErrCount       Error = "ERR Protocol error: invalid multibulk length"
	ErrBulkString  Error = "ERR Protocol error: too big bulk count string"
	ErrBulk        Error = "ERR Protocol error: invalid bulk length"
	ErrCommand     Error = "ERR Protocol error: too big command"

	ErrUnauthenticatedCount Error = "ERR Protocol error: unauthenticated multibulk length"
	ErrUnauthenticatedBulk  Error = "ERR Protocol error: unauthenticated bulk length"
)

// errDollar returns the violation of a bulk that starts with the byte got, not with '$'.
func errDollar(got byte) Error {
	if got == '\r' || got == '\n' {
		got = ' ' // an error reply is one line
	}
	return Error("ERR Protocol error: expected '$', got '" + string([]byte{got}) + "'")
}

// Defaults of the limits, and the limit of a line, which is fixed.
const (
	DefaultMaxBulk    = 64 << 20
	DefaultMaxArgs    = math.MaxInt32
	DefaultMaxCommand = 256 << 20
	maxLine           = 64 << 10 // bytes of an inline command or a header, without its line end; see doc.go
)

// Limits for a client that has not authenticated; inline commands are not limited further.
const (
	unauthenticatedArgs = 10
	unauthenticatedBulk = 16 << 10
)

// Limits bounds what a client may send. Zero fields take the defaults.
type Limits struct {
	MaxBulk    int // bytes of one argument, up to 1 GiB
	MaxArgs    int // arguments of one command, up to 2^31-1
	MaxCommand int // bytes of one command with its headers, up to 2 GiB
}

// Args is a reused list of a command's arguments, together with their limits. All parsers
// of one loop can share one Args, as it is in use only from a call of Next until that
// command has been run.
type Args struct {
	// Unauthenticated is to be set before Next if the client has not sent the password
	// yet. Like redis-server, the parser then accepts only short commands.
	Unauthenticated bool

	limits  Limits
	list    [][]byte
	lent    bool   // the list refers to buf
	buf     []byte // the buffer of a long command
	spare   []byte // an unused one, for the next long command of any client
	scratch []byte // arguments of an inline command, without quotes and escapes
}

// keepList is the longest list of arguments that is kept between commands.
const keepList = 16 << 10

// keepBuffer is the longest buffer of a long command that is used again. Longer ones are
// given away.
const keepBuffer = 256 << 10

// NewArgs makes an empty list with the limits l. It panics if a limit is out of its range.
func NewArgs(l Limits) *Args {
	def := func(v *int, d, most int, name string) {
		if *v == 0 {
			*v = d
		}
		if *v < 1 || *v > most {
			panic(fmt.Sprintf("wire: %s %d: want 1 to %d", name, *v, most))
		}
	}
	def(&l.MaxBulk, DefaultMaxBulk, 1<<30, "MaxBulk")
	def(&l.MaxArgs, DefaultMaxArgs, math.MaxInt32, "MaxArgs")
	def(&l.MaxCommand, DefaultMaxCommand, 1<<31-1, "MaxCommand")
	return &Args{limits: l}
}

// Given reports whether the arguments that Next has just returned are in memory that nothing
// else uses. The caller may then keep and change them.
func (a *Args) Given() bool { return a.lent && a.given() }

func (a *Args) given() bool { return cap(a.buf) > keepBuffer }

// checkBulk returns the violation in a bulk's header, or "". Its arguments are the header's
// first byte, the bulk's announced size, and where the bulk begins in its command.
func (a *Args) checkBulk(first byte, size, begin int) Error {
	switch {
	case first != '$':
		return errDollar(first)
	case size < 0 || size > a.limits.MaxBulk:
		return ErrBulk
	case a.Unauthenticated && size > unauthenticatedBulk:
		return ErrUnauthenticatedBulk
	case begin+size+2 > a.limits.MaxCommand:
		return ErrCommand
	}
	return ""
}

// checkCount returns the violation in the announced number of arguments, or "". A count
// below one is no violation: it announces no command.
func (a *Args) checkCount(count int) Error {
	switch {
	case a.Unauthenticated && count > unauthenticatedArgs && count <= math.MaxInt32:
		return ErrUnauthenticatedCount
	case count == badNumber || count > a.limits.MaxArgs:
		return ErrCount
	}
	return ""
}
