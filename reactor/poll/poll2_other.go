//go:build unix && !linux

package poll

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

const pollRDHUP = 0 // Linux alone has it

// pollFor is poll(2) with the timeout rounded up to milliseconds; a negative
// one is for ever.
func pollFor(fds []unix.PollFd, timeout time.Duration) (int, error) {
	if timeout < 0 {
		return unix.Poll(fds, -1)
	}
	ms := timeout / time.Millisecond
	if timeout%time.Millisecond != 0 {
		ms++
	}
	return unix.Poll(fds, int(min(ms, math.MaxInt32)))
}
