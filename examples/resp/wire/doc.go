// Package wire is the Redis serialization protocol as pure code: a Parser of
// commands and an Output of replies. It knows no connection, no clock and no
// command.
//
// # Reading
//
// A Parser takes the bytes of one connection in pieces of any size, and gives
// the commands in them. A command that lies whole in the window that it is
// shown is parsed in place: its arguments are slices of that window, nothing
// is copied and nothing allocated. Of a command that is cut off, a short piece
// is left in the window, to be shown again with what follows it; a long one is
// taken into a buffer of the parser's own, which grows with the bytes that
// came and never with those that were announced. So a window of a few dozen
// kilobytes (more than 16 KiB) is enough for a bulk of any length.
//
// The sequence of commands and the error at its end depend on the bytes alone,
// not on where they were cut.
//
// # Writing
//
// An Output collects replies in one reused buffer. A long value is not copied
// into it: it is kept by reference and becomes a piece of its own between the
// others, so its bytes must stay as they are until they have been sent.
//
// # Limits
//
// The length of a bulk, the number of arguments, the length of an inline
// command or of a header line, and the total of one command are limited; over
// a limit, and for anything that is not the protocol, Next answers an Error
// whose text is the one that redis-server 7 replies with before it closes.
//
// Nothing here may be used by two goroutines at once. The zero Parser and the
// zero Output are ready for use; Args are made by NewArgs.
package wire
