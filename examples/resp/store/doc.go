// Package store implements a keyspace: numbered databases of strings with deadlines. It
// has no clock, no locks and no goroutines. The caller passes the time, in milliseconds
// since the Unix epoch, and only one goroutine may use a Keyspace.
//
// # Expiry
//
// A key is gone from the millisecond of its deadline on: an access to a key that is due
// removes it. For keys that are not accessed, the Keyspace passes each deadline to the
// owner's Timers, and the owner calls Due with the node whose deadline has passed. A call
// that is early or repeated does no harm. Without Timers, keys expire only when accessed.
//
// # Values
//
// A new value reuses the old value's buffer if it fits, so a SET of an existing key does
// not allocate. The bytes that Entry.Share returned are never written again, so they can
// be sent without a copy while the key gets new values.
//
// # Order
//
// Entries live in slots and never move. Scan's cursor is a slot number, so a scan from
// cursor 0 until it returns 0 shows each key that existed all the time exactly once, and
// any other key at most once for each time it was set. Nothing depends on the order of a
// Go map: the same calls return the same results.
//
// # Costs
//
// Get, Set and Delete do one lookup in a hash table that grows and shrinks by one bucket at a
// time. A key takes 72 bytes beside those of its name and its value. Memory falls as keys go:
// slots are freed 256 at a time, when all of those are empty. Random takes constant time.
// Flush visits each entry only to stop its timer, and to report it if OnChange asks for that.
package store
