//go:build unix || windows

package osdriver

import (
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// Keepalive of connections of TCP. What is dialled gets it from Connect. What is accepted
// inherits it from the listener on Linux, so that accepting costs no more; elsewhere, and if
// the listener was adopted, whose options are others', from Accept.

// The defaults of package net.
const (
	keepIdle     = 15 * time.Second
	keepInterval = 15 * time.Second
	keepCount    = 9
)

// withDefaults returns k with defaults filled in.
func withDefaults(k driver.KeepAlive) driver.KeepAlive {
	if k.Idle == 0 {
		k.Idle = keepIdle
	}
	if k.Interval == 0 {
		k.Interval = keepInterval
	}
	if k.Count == 0 {
		k.Count = keepCount
	}
	return k
}

// inUnits returns d in units of an option, rounded up.
func inUnits(d, unit time.Duration) int { return int((d + unit - 1) / unit) }

// SetKeepAlive sets the keepalive of the connections that a listener will accept. The loop
// calls it for one that was adopted.
func (d *Driver) SetKeepAlive(listener driver.Sock, k driver.KeepAlive) {
	if k == (driver.KeepAlive{}) {
		return
	}
	if d.keepAlives == nil {
		d.keepAlives = map[driver.Sock]driver.KeepAlive{}
	}
	d.keepAlives[listener] = k
}

// keepAliveAccepted sets the keepalive of a connection that was accepted from a listener, if
// it has not inherited it.
func (d *Driver) keepAliveAccepted(fd descriptor, from driver.Sock) {
	if !inheritsKeepAlive || d.sockets[from].flags&adopted != 0 {
		setKeepAlive(fd, d.keepAlives[from])
	}
}
