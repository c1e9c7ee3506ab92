//go:build windows || openbsd || dragonfly || solaris || aix || (linux && stator_plain)

package osdriver

import "time"

// The system has no call, or not in every version, that returns how many bytes the peer
// has not acknowledged. So bytes count as acknowledged some time after they were written.

// maxAckDelay is within what time a peer acknowledges: it may wait for 200 ms.
const maxAckDelay = 250 * time.Millisecond

// lastWrite is the time of the last write, 0 for none.
type lastWrite struct{ at int64 }

func (w *lastWrite) note(d *Driver) { w.at = d.Now() }

// unacked reports whether the peer may lack something.
func (w *lastWrite) unacked(d *Driver, _ descriptor) bool {
	return w.at != 0 && d.Now()-w.at < int64(maxAckDelay)
}
