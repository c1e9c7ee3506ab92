//go:build unix

package poll

import "golang.org/x/sys/unix"

// The bits of poll(2), which event ports use too.

// pollBits is the meaning of each bit.
var pollBits = [...]struct {
	bit   int
	ready Ready
}{
	{unix.POLLIN, Readable},
	{unix.POLLOUT, Writable},
	{unix.POLLPRI, Priority},
	{pollRDHUP, Readable | ReadClosed},
	{unix.POLLHUP, Readable | Writable | ReadClosed | WriteClosed},
	{unix.POLLERR, Readable | Writable | WriteClosed | Error},
}

// pollReady converts the bits of an event.
func pollReady(bits int) (r Ready) {
	for _, m := range pollBits {
		if bits&m.bit != 0 {
			r |= m.ready
		}
	}
	return r
}

// unreported returns the bits to wait for with interest i, without those of readiness that
// was reported. The kernel always reports a hang-up and an error, even if bits is 0. So
// after one of them was reported, ask is false until a direction is re-armed: otherwise
// the kernel would return at once each time.
func (i Interest) unreported(reported Ready) (bits int, ask bool) {
	if i&Readable != 0 {
		if reported&Readable == 0 {
			bits |= unix.POLLIN
		}
		if reported&ReadClosed == 0 {
			bits |= pollRDHUP
		}
	}
	if i&Writable != 0 && reported&Writable == 0 {
		bits |= unix.POLLOUT
	}
	if i&Priority != 0 && reported&Priority == 0 {
		bits |= unix.POLLPRI
	}
	return bits, reported&WriteClosed == 0 || bits&(unix.POLLIN|unix.POLLOUT) != 0
}

// pollFd returns the argument of poll(2) for a descriptor.
func pollFd(fd, bits int) (p unix.PollFd) {
	p.Fd = int32(fd)
	setEvents(&p.Events, bits)
	return p
}

// setEvents sets the bits to wait for, whose type is different on aix.
func setEvents[T int16 | uint16](events *T, bits int) { *events = T(bits) }
