package poll

import (
	"time"

	"golang.org/x/sys/unix"
)

const pollRDHUP = unix.POLLRDHUP

// pollFor calls poll(2) with a timeout in nanoseconds; a negative one means no limit.
func pollFor(fds []unix.PollFd, timeout time.Duration) (int, error) {
	if timeout < 0 {
		return unix.Ppoll(fds, nil, nil)
	}
	ts := unix.NsecToTimespec(min(timeout, maxTimer).Nanoseconds())
	return unix.Ppoll(fds, &ts, nil)
}
