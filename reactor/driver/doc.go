// Package driver is the contract between a loop of package reactor and an operating
// system. Users of machines do not need it. It is for those who put something else
// under a loop, by reactor.Config.Driver: a simulated network, or another system.
//
// A [Driver] opens, reads, writes and closes sockets, waits for their events, and has
// a clock. The loop is the same over every driver. It is edge-triggered: it caches
// what is ready, and calls the driver until the answer's [Flow] says that a direction
// is blocked; then it waits for an event.
//
// [EventData] is what the loop registers a socket with and what that socket's events
// carry. A driver passes it on as it is.
//
// Package drivertest has the test cases that every driver has to pass. The drivers of
// real systems are in reactor/internal/osdriver, over the backends of package poll;
// the simulated one is package fuzz's.
package driver
