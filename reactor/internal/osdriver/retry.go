//go:build unix || windows

package osdriver

import (
	"syscall"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// In five cases the kernel has no event for what the loop waits for. Wait makes one up
// after some time.
//
//	case                                                   event
//	a send for which the kernel has no memory              writable: the loop tries again
//	connect to a unix socket whose backlog is full         writable: the loop tries again
//	a datagram for a unix socket whose queue is full       writable: the loop tries again
//	the queue of a network interface is full               writable: the loop tries again
//	a pipe that was open both ways was to be half-closed,  readable: its input has ended, too
//	and was closed (closePipe)

const (
	// retryAfter is how long a socket waits for the event.
	retryAfter = 5 * time.Millisecond
	// retriesAtOnce bounds the events of one Wait. So sockets that wait together take
	// turns, and the cost of a thousand attempts a second does not depend on how many wait.
	retriesAtOnce = 64
)

// retryQueue has the sockets that wait, the oldest first.
type retryQueue struct {
	sockets []driver.Sock
	dueAt   int64 // when the next event is
}

// scheduleRetry makes Wait return an event for a socket after retryAfter.
func (d *Driver) scheduleRetry(s driver.Sock) {
	e := &d.sockets[s]
	if e.flags&awaitsRetry != 0 {
		return
	}
	e.flags |= awaitsRetry
	if len(d.retries.sockets) == 0 {
		d.retries.dueAt = d.Now() + int64(retryAfter)
	}
	d.retries.sockets = append(d.retries.sockets, s)
}

// collectRetries stores the events that are due in dst and returns how many. A socket
// that was closed since has no awaitsRetry, nor has a new one with its number.
func (d *Driver) collectRetries(dst []poll.Event) (n int) {
	now, q := d.Now(), d.retries.sockets
	if now < d.retries.dueAt {
		return 0
	}
	for most := min(retriesAtOnce, len(dst)); n < most && len(q) > 0; q = q[1:] {
		if e := &d.sockets[q[0]]; e.flags&awaitsRetry != 0 {
			e.flags &^= awaitsRetry
			dst[n] = poll.Event{Token: poll.Token(e.data), Ready: poll.Writable}
			if e.fd == noDescriptor { // closePipe closed it: this is the end for its reader
				dst[n].Ready = poll.Readable | poll.ReadClosed
			}
			n++
		}
	}
	d.retries.sockets = d.retries.sockets[:copy(d.retries.sockets, q)]
	d.retries.dueAt = now + int64(retryAfter)
	return n
}

// isNoMemory reports whether the error of a write says that the kernel has no memory for it
// now: that is no error of the socket.
func isNoMemory(errno syscall.Errno) bool { return errno == enobufs || errno == syscall.ENOMEM }
