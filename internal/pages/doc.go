// Package pages provides memory for large tables that are allocated once and filled
// slowly, so that they occupy only what is used of them.
//
// [Alloc] allocates a table outside of the Go heap. A table in the heap counts as live
// from the start, whether it is used or not: it raises the heap's size, on which the
// pace of the garbage collector depends, and counts towards GOMEMLIMIT. With a limit
// below the size of the tables the collector would run without end. Outside of the heap
// a table costs address space, and memory for the pages that were touched.
//
// [Discard] is for tables that have to be in the heap. It returns memory that is
// allocated but not yet used to the operating system. Memory fresh from the kernel
// occupies nothing until it is used. Memory that the Go heap recycles does: the
// allocator clears it, which touches every page.
package pages
