//go:build unix || windows

package reactor

// NewOSDriver makes the operating system's driver with room for the sockets of n
// machines.
func NewOSDriver(n int) (Driver, error) { return newOSDriver(n) }
