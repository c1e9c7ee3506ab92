//go:build unix

package poll

import "golang.org/x/sys/unix"

// What poll(2)'s bits mean, which event ports speak as well.

// meanings are the bits as Ready.
var meanings = [...]struct {
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

// pollReady is what the kernel tells by bits.
func pollReady(bits int) (r Ready) {
	for _, m := range meanings {
		if bits&m.bit != 0 {
			r |= m.ready
		}
	}
	return r
}

// asks are the bits for what of i is yet to be told. No bits still ask for what is
// told unasked, hang-up and error. Once one of these was told the kernel is not to
// be asked at all, or it would answer at once each time, until a direction is
// re-armed.
func (i Interest) asks(told Ready) (bits int, ask bool) {
	if i&Readable != 0 {
		if told&Readable == 0 {
			bits |= unix.POLLIN
		}
		if told&ReadClosed == 0 {
			bits |= pollRDHUP
		}
	}
	if i&Writable != 0 && told&Writable == 0 {
		bits |= unix.POLLOUT
	}
	if i&Priority != 0 && told&Priority == 0 {
		bits |= unix.POLLPRI
	}
	return bits, told&WriteClosed == 0 || bits&(unix.POLLIN|unix.POLLOUT) != 0
}

// pollFd is a descriptor as poll(2) takes it.
func pollFd(fd, bits int) (p unix.PollFd) {
	p.Fd = int32(fd)
	put(&p.Events, bits)
	return p
}

// put sets the bits to ask for, whose type is aix's own.
func put[T int16 | uint16](events *T, bits int) { *events = T(bits) }
