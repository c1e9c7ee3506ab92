//go:build !stator_plain

package reactor

// AcceptAllocates says that the system's accept is package unix's.
const AcceptAllocates = false
