//go:build unix && (!linux || stator_plain)

package reactor

// AcceptAllocates says that the system's accept is package unix's.
const AcceptAllocates = true
