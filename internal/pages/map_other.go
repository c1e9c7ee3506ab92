//go:build !unix && !windows

package pages

// mapPages returns nil: there is no memory outside of the Go heap.
func mapPages(uintptr) []byte { return nil }

func unmapPages([]byte) {}
