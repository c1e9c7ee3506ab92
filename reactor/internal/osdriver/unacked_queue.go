//go:build (linux && !stator_plain) || darwin || freebsd || netbsd

package osdriver

// The system has a call that returns how many bytes the peer has not acknowledged:
// sendQueueLen.

// lastWrite is empty: the time of a write does not matter.
type lastWrite struct{}

func (*lastWrite) note(*Driver) {}

// unacked reports whether the peer lacks something.
func (*lastWrite) unacked(_ *Driver, fd descriptor) bool { return sendQueueLen(int(fd)) > 0 }
