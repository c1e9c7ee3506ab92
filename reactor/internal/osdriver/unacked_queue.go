//go:build (linux && !stator_plain) || darwin || freebsd || netbsd

package osdriver

// The system tells how much of what was written the peer has not acknowledged.

// lastWrite need not be noted.
type lastWrite struct{}

func (*lastWrite) note(*Driver) {}

// unsent tells whether something is on its way to the peer.
func (*lastWrite) unacked(_ *Driver, fd descriptor) bool { return sendQueue(int(fd)) > 0 }
