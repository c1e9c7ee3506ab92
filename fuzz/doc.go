// Package fuzz runs production loops in a simulated machine room, from traces.
//
// A [World] has loops of package reactor, unchanged, over a driver whose sockets and
// clock are its own, and a peer for each connection. All of it happens on one
// goroutine, so that a run depends on nothing but its [Trace].
package fuzz
