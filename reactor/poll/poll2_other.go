//go:build unix && !linux

package poll

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

const pollRDHUP = 0 // only Linux has it

// pollFor calls poll(2) with a timeout rounded up to milliseconds; a negative one means no
// limit.
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
