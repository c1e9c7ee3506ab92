//go:build unix

package osdriver

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// In four cases the kernel has no event for what the loop waits for. Wait makes one up
// after some time.
//
//	case                                                   event
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
	sockets  []driver.Sock
	dueAt    int64                         // when the next event is
	connects map[driver.Sock]unix.Sockaddr // where those that awaitsReconnect connect to
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

// noteReconnect notes where a socket has to connect to. Register schedules the attempt.
func (d *Driver) noteReconnect(s driver.Sock, to unix.Sockaddr) {
	if d.retries.connects == nil {
		d.retries.connects = map[driver.Sock]unix.Sockaddr{}
	}
	d.retries.connects[s] = to
}

// reconnect tries again to connect a socket that awaitsReconnect.
func (d *Driver) reconnect(s driver.Sock) (driver.Flow, error) {
	err := unix.Connect(int(d.sockets[s].fd), d.retries.connects[s])
	if err == unix.EAGAIN { // the backlog is still full
		d.scheduleRetry(s)
		return driver.WriteBlocked, nil
	}
	d.sockets[s].flags &^= awaitsReconnect
	delete(d.retries.connects, s)
	return 0, connectError(err)
}

// forget is drop, for a socket that may wait.
func (d *Driver) forget(s driver.Sock) {
	if d.sockets[s].flags&awaitsReconnect != 0 {
		delete(d.retries.connects, s)
	}
	d.drop(s)
}
