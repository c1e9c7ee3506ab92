// Package planted has small servers, each with bugs that can be planted in it one at a
// time, to measure a search for bugs.
//
// A [Server] is set up in a [Room] with a [Plant], which names the planted bug. At the
// place of a bug the server asks for it:
//
//	if s.plant.Wrong("echo/short-write", n < len(in)) {
//		n = len(in)
//	}
//
// So three facts are known of a bug: it was reached, as the server asked; it was
// triggered, as the wrong thing would have made a difference; and it was found, if the
// search reports a failure. Without a bug, Wrong returns false and has no effect.
//
// # Rooms
//
// A Room is what a server is set up in: a fuzz.World, or a [Memory]. A Memory has the
// same production loop over connections that are slices of bytes. There every read and
// write is complete, nothing is late or refused, and every event is true. It is for
// searches that have no simulator.
//
// # What is checked
//
// A server has a model of its output. The model knows only bytes, and reads them with
// the server's parser without its bugs. What bytes do not show, the server itself
// claims, with and without its bugs: that a peer was silent for as long as allowed before
// it was disconnected for its silence, that output kept for a peer is bounded, that a
// negotiation ends in time. A claim that does not hold is a panic.
//
// # Machines and hand-written loops
//
// Most servers are machines of package reactor. Some mistakes can't be made there: no
// handler can close a descriptor twice, forget to disarm, or read another connection's
// socket after its close. They are made in a loop of a few hundred lines, written by hand
// over reactor.Driver.
package planted
