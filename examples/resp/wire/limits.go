package wire

import (
	"fmt"
	"math"
)

// Error is a violation of the protocol: the text of the reply that a client
// gets before its connection is closed.
type Error string

func (e Error) Error() string { return string(e) }

// The violations, as redis-server 7 words them, and one of our own: where a
// whole command grows too big, redis-server closes without a word.
const (
	ErrInline      Error = "ERR Protocol error: too big inline request"
	ErrQuotes      Error = "ERR Protocol error: unbalanced quotes in request"
	ErrCountString Error = "ERR Protocol error: too big mbulk count string"
	ErrCount       Error = "ERR Protocol error: invalid multibulk length"
	ErrBulkString  Error = "ERR Protocol error: too big bulk count string"
	ErrBulk        Error = "ERR Protocol error: invalid bulk length"
	ErrCommand     Error = "ERR Protocol error: too big command"

	ErrStrangerCount Error = "ERR Protocol error: unauthenticated multibulk length"
	ErrStrangerBulk  Error = "ERR Protocol error: unauthenticated bulk length"
)

// errDollar is the violation of a bulk that starts with something else.
func errDollar(got byte) Error {
	if got == '\r' || got == '\n' {
		got = ' ' // an error reply is one line
	}
	return Error("ERR Protocol error: expected '$', got '" + string([]byte{got}) + "'")
}

// Defaults of the limits, and the one that is fixed.
const (
	DefaultMaxBulk    = 64 << 20
	DefaultMaxArgs    = 1024 * 1024
	DefaultMaxCommand = 256 << 20
	maxLine           = 64 << 10 // bytes of an inline command or a header, without its end
)

// What a stranger may send, an inline command aside.
const (
	strangerArgs = 10
	strangerBulk = 16 << 10
)

// Limits bounds what a client may send. Zero fields take the defaults.
type Limits struct {
	MaxBulk    int // bytes of one argument, up to 1 GiB
	MaxArgs    int // arguments of one command
	MaxCommand int // bytes of one command with its headers, up to 2 GiB
}

// Args is the reused list of a command's arguments, with the limits that they
// keep. The parsers of one loop share one: it is in use only from a call of
// Next until that command is done.
type Args struct {
	// Stranger says that the client of the next command has yet to tell the
	// password: until then redis-server hardly lets it use memory.
	Stranger bool

	limits  Limits
	list    [][]byte
	lent    bool   // the list may hold on to the buffer of a long command
	scratch []byte // arguments of an inline command, rid of quotes and escapes
}

// keepList bounds the list that is kept between commands.
const keepList = 16 << 10

// NewArgs makes the list. It panics on a limit out of its range.
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
	def(&l.MaxArgs, DefaultMaxArgs, 1<<30, "MaxArgs")
	def(&l.MaxCommand, DefaultMaxCommand, 1<<31-1, "MaxCommand")
	return &Args{limits: l}
}

// checkBulk judges a bulk's header: what it starts with, the size that it
// announces, and where the bulk would begin in its command.
func (a *Args) checkBulk(first byte, size, begin int) Error {
	switch {
	case first != '$':
		return errDollar(first)
	case size < 0 || size > a.limits.MaxBulk:
		return ErrBulk
	case a.Stranger && size > strangerBulk:
		return ErrStrangerBulk
	case begin+size+2 > a.limits.MaxCommand:
		return ErrCommand
	}
	return ""
}

// checkCount judges the number of arguments. Below one there is no command,
// and nothing wrong.
func (a *Args) checkCount(count int) Error {
	switch {
	case a.Stranger && count > strangerArgs && count <= math.MaxInt32:
		return ErrStrangerCount
	case count == badNumber || count > a.limits.MaxArgs:
		return ErrCount
	}
	return ""
}
