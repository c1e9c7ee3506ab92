// Package pages returns memory that is allocated but not yet used to the
// operating system.
//
// A large table that is allocated once and filled slowly should occupy only the
// pages it has used. Memory fresh from the kernel behaves so by itself. Memory
// that the Go heap recycles does not: the allocator clears it, which touches
// every page.
package pages
