//go:build (linux && !stator_plain) || darwin || freebsd || netbsd

package reactor

// The system tells how much of what was written the peer has not acknowledged.

// lastWrite need not be noted.
type lastWrite struct{}

func (d *osDriver) noteWrite(*row) {}

// unsent tells whether something is on its way to the peer of a TCP connection.
func (d *osDriver) unsent(r *row) bool { return sendQueue(int(r.fd)) > 0 }
