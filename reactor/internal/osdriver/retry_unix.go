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
type retries struct {
	socks []driver.Sock
	at    int64
	dials map[driver.Sock]unix.Sockaddr // those that wait to connect, and where to
}

// retry has Wait tell of a socket that was refused.
func (d *Driver) retry(s driver.Sock) {
	r := &d.rows[s]
	if r.is&refused != 0 {
		return
	}
	r.is |= refused
	if len(d.retries.socks) == 0 {
		d.retries.at = d.Now() + int64(retryAfter)
	}
	d.retries.socks = append(d.retries.socks, s)
}

// retryNow tells of sockets whose time has come. One that was closed, or closed and
// opened, since it was refused is another one, which was not.
func (d *Driver) retryNow(dst []poll.Event) (n int) {
	now, q := d.Now(), d.retries.socks
	if now < d.retries.at {
		return 0
	}
	for most := min(retriesAtOnce, len(dst)); n < most && len(q) > 0; q = q[1:] {
		if r := &d.rows[q[0]]; r.is&refused != 0 {
			r.is &^= refused
			dst[n] = poll.Event{Token: poll.Token(r.data), Ready: poll.Writable}
			if r.fd == noDescriptor { // closePipe was here
				dst[n].Ready = poll.Readable | poll.ReadClosed
			}
			n++
		}
	}
	d.retries.socks = d.retries.socks[:copy(d.retries.socks, q)]
	d.retries.at = now + int64(retryAfter)
	return n
}

// redialLater notes where a socket is to connect to. Register begins its wait.
func (d *Driver) redialLater(s driver.Sock, to unix.Sockaddr) {
	if d.retries.dials == nil {
		d.retries.dials = map[driver.Sock]unix.Sockaddr{}
	}
	d.retries.dials[s] = to
}

// redial tries again to connect a socket that waits to. Full: the backlog is still full.
func (d *Driver) redial(s driver.Sock) (driver.Flow, error) {
	err := unix.Connect(int(d.rows[s].fd), d.retries.dials[s])
	if err == unix.EAGAIN {
		d.retry(s)
		return driver.WriteBlocked, nil
	}
	d.rows[s].is &^= redials
	delete(d.retries.dials, s)
	return 0, dialError(err)
}

// forget drops a row, and where its socket was to connect to.
func (d *Driver) forget(s driver.Sock) {
	if d.rows[s].is&redials != 0 {
		delete(d.retries.dials, s)
	}
	d.drop(s)
}
