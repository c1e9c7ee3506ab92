// Package wire implements the Redis serialization protocol without I/O: a Parser reads
// commands and an Output collects replies. It has no connections, no clock and no
// commands of its own.
//
// # Reading
//
// A Parser takes the bytes of one connection in pieces of any size and returns the
// commands in them. The caller passes a window: all bytes that arrived and were not
// consumed. A command that is complete in the window is parsed in place: its arguments
// are slices of the window, and nothing is copied or allocated. If a command is
// incomplete and short, its bytes stay in the window, and the caller passes them again
// together with those that follow. If it is long, the parser takes its bytes into a
// buffer of its own, which grows with the bytes that arrive and never to the length that
// is announced. So a window of a few dozen KiB (more than 16 KiB) is enough for a bulk of
// any length.
//
// The commands, and the error after them, depend only on the bytes, not on how they were
// divided into pieces.
//
// # Writing
//
// An Output collects replies in one reused buffer. It does not copy a long value but
// refers to it, so the value's bytes must not change until they have been sent.
//
// # Limits
//
// The length of a bulk, the number of arguments, the length of an inline command or of a
// header line, and the total length of a command are limited. Beyond a limit, and for
// bytes that are not the protocol, Next returns an Error whose text is the reply that
// redis-server 7 sends before it closes the connection.
//
// A line may have 64 KiB. redis-server refuses a longer one only if its end has not arrived
// when it has read 64 KiB: whether it accepts a line of 64 to about 128 KiB depends on how
// the bytes were divided into pieces. Here it must not.
//
// A Parser, an Output and an Args must not be used by several goroutines at once. The
// zero Parser and the zero Output are ready to use; NewArgs makes an Args.
package wire
