//go:build windows || openbsd || dragonfly || solaris || aix || (linux && stator_plain)

package reactor

import "time"

// The system has no question, or not in every version, for how much of what was
// written the peer has acknowledged. So what was not written long ago may be on its way.

// ackWithin is what a peer takes to acknowledge, which it may delay for 200 ms.
const ackWithin = 250 * time.Millisecond

// lastWrite is when something was written last to a TCP connection, 0 for never.
type lastWrite struct{ at int64 }

func (d *osDriver) noteWrite(r *row) {
	if r.nature == tcpStream {
		r.wrote.at = d.Now()
	}
}

// unsent tells whether something may be on its way to the peer of a TCP connection.
func (d *osDriver) unsent(r *row) bool {
	return r.wrote.at != 0 && d.Now()-r.wrote.at < int64(ackWithin)
}
