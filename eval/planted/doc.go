// Package planted has small servers, each of them right, and wrong in one of a
// number of ways: what a search for bugs is measured by.
//
// A [Server] is wired to a room with a [Plant], which says what is wrong with it,
// and which it asks on its way:
//
//	if s.plant.Wrong("echo/short-write", n < len(in)) {
//		n = len(in)
//	}
//
// So three things are told apart: the wrong line was reached; it made a difference,
// which is that the bug was triggered; and somebody noticed, which is the searcher's
// matter. Without a bug, Wrong answers false and nothing else happens.
//
// # Rooms
//
// A Room is where a server is wired: a fuzz.World, or a [Memory], which has the same
// production loop over connections that are slices of bytes: nothing is ever cut
// short, late, refused or untrue. Memory is for searches that have no simulator.
//
// # What is promised
//
// What a server must answer is its model, which knows only bytes, and reads them with
// its server's parser in the right shape. What bytes do not
// show, a server claims for itself, in both its right and its wrong shape: that who
// is sent away for being slow was slow, that it keeps no more bytes than a bound, that
// a negotiation takes no longer than it may. A claim that does not hold is a panic.
//
// # Machines and hand-written loops
//
// Most servers are machines of package reactor. Its tables leave no room for some
// mistakes: no handler closes a descriptor twice, forgets to disarm, or reads a
// sibling's socket after its close. Those are made in a loop of some hundred lines that
// is written by hand over reactor.Driver.
package planted
