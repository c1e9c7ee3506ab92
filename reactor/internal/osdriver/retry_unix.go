//go:build unix

package osdriver

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Some refusals are followed by no event when there is room: a connect to a unix
// socket whose backlog is full, a datagram for a unix socket whose queue is, the
// full queue of a network interface. Wait tells of their sockets by time, as if they
// had become writable, so that whoever waits for that tries again.

// retryAfter is how long a refused socket waits. Those that wait together are told of
// one after the other, retriesAtOnce at a time: what a thousand attempts cost does
// not depend on how long they are in vain.
const (
	retryAfter    = 5 * time.Millisecond
	retriesAtOnce = 64
)

// retries are the sockets to be told of, the oldest first, and when the next ones are.
type retryQueue struct {
	sockets  []driver.Sock
	dueAt    int64
	connects map[driver.Sock]unix.Sockaddr // those that wait to connect, and where to
}

// retry has Wait tell of a socket that was refused.
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

// retryNow tells of sockets whose time has come. One that was closed, or closed and
// opened, since it was refused is another one, which was not.
func (d *Driver) collectRetries(dst []poll.Event) (n int) {
	now, q := d.Now(), d.retries.sockets
	if now < d.retries.dueAt {
		return 0
	}
	for most := min(retriesAtOnce, len(dst)); n < most && len(q) > 0; q = q[1:] {
		if e := &d.sockets[q[0]]; e.flags&awaitsRetry != 0 {
			e.flags &^= awaitsRetry
			dst[n] = poll.Event{Token: poll.Token(e.data), Ready: poll.Writable}
			if e.fd == noDescriptor { // closePipe was here
				dst[n].Ready = poll.Readable | poll.ReadClosed
			}
			n++
		}
	}
	d.retries.sockets = d.retries.sockets[:copy(d.retries.sockets, q)]
	d.retries.dueAt = now + int64(retryAfter)
	return n
}

// redialLater notes where a socket is to connect to. Register begins its wait.
func (d *Driver) noteReconnect(s driver.Sock, to unix.Sockaddr) {
	if d.retries.connects == nil {
		d.retries.connects = map[driver.Sock]unix.Sockaddr{}
	}
	d.retries.connects[s] = to
}

// redial tries again to connect a socket that waits to. Full: the backlog is still full.
func (d *Driver) reconnect(s driver.Sock) (driver.Flow, error) {
	err := unix.Connect(int(d.sockets[s].fd), d.retries.connects[s])
	if err == unix.EAGAIN {
		d.scheduleRetry(s)
		return driver.WriteBlocked, nil
	}
	d.sockets[s].flags &^= awaitsReconnect
	delete(d.retries.connects, s)
	return 0, connectError(err)
}

// forget drops a row, and where its socket was to connect to.
func (d *Driver) forget(s driver.Sock) {
	if d.sockets[s].flags&awaitsReconnect != 0 {
		delete(d.retries.connects, s)
	}
	d.drop(s)
}
