//go:build windows || openbsd || dragonfly || solaris || aix || (linux && stator_plain)

package osdriver

import "time"

// The system has no question, or not in every version, for how much of what was
// written the peer has acknowledged. So what was not written long ago may be on its way.

// ackWithin is what a peer takes to acknowledge, which it may delay for 200 ms.
const ackWithin = 250 * time.Millisecond

// lastWrite is when something was written last, 0 for never.
type lastWrite struct{ at int64 }

func (w *lastWrite) note(d *Driver) { w.at = d.Now() }

// unsent tells whether something may be on its way to the peer.
func (w *lastWrite) unacked(d *Driver, _ descriptor) bool {
	return w.at != 0 && d.Now()-w.at < int64(ackWithin)
}
