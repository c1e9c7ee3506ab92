//go:build unix

package osdriver

import (
	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
)

// Connects to a unix socket whose backlog is full, which have to be made again.

// noteReconnect notes where a socket has to connect to. Register schedules the attempt.
func (d *Driver) noteReconnect(s driver.Sock, to unix.Sockaddr) {
	if d.reconnects == nil {
		d.reconnects = map[driver.Sock]unix.Sockaddr{}
	}
	d.reconnects[s] = to
}

// reconnect tries again to connect a socket that awaitsReconnect.
func (d *Driver) reconnect(s driver.Sock) (driver.Flow, error) {
	err := unix.Connect(int(d.sockets[s].fd), d.reconnects[s])
	if err == unix.EAGAIN { // the backlog is still full
		d.scheduleRetry(s)
		return driver.WriteBlocked, nil
	}
	d.sockets[s].flags &^= awaitsReconnect
	delete(d.reconnects, s)
	return 0, connectError(err)
}

// forget is drop, for a socket that may wait, or have a path.
func (d *Driver) forget(s driver.Sock) {
	switch e := &d.sockets[s]; {
	case e.flags&awaitsReconnect != 0:
		delete(d.reconnects, s)
	case e.typ == listening || e.typ == unixDatagram:
		delete(d.paths, s)
		delete(d.keepAlives, s)
	}
	d.drop(s)
}
