// Package store is a keyspace of strings with deadlines, in numbered
// databases. It has no clock, no lock and no goroutine: the time is passed in,
// in milliseconds since the Unix epoch, and one goroutine may use a Keyspace.
//
// # Expiry
//
// A key is gone from the millisecond of its deadline on: every access looks,
// and removes what is due. What nobody accesses is removed by the owner's
// timers: the Keyspace tells them each deadline through the interface Timers,
// and the owner calls Due with the node that fired. A timer that fires early
// or twice does no harm, and without Timers all expiry is lazy.
//
// # Values
//
// A value that is overwritten leaves its buffer to the next one where that
// fits, so that a SET of a key that exists allocates nothing. Bytes from
// Entry.Share are never written again: they may be sent from where they lie,
// however long that takes, while the key gets a new value.
//
// # Order
//
// Entries stand in slots and never move. A cursor of Scan is a slot's number,
// so a scan from 0 to 0 tells every key that was there all the time exactly
// once, and every other at most once for each time it was set. Nothing depends
// on the order of a Go map: the same calls give the same answers.
//
// # Costs
//
// Get, Set and Delete are one lookup in a Go map each; Random takes one step;
// Flush forgets everything without walking over it, but for the timers.
package store
