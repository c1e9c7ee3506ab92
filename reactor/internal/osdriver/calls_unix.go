//go:build unix && (!linux || stator_plain)

package osdriver

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// System calls as package unix makes them: on darwin, openbsd, solaris and aix only
// libc may. They allocate nothing, but for the addresses that accept and recvfrom
// answer.

// watchTCP is what a TCP connection is watched for from the first. Room is added by the
// first call that finds none: a kqueue tells of it anew with each acknowledgement.
const watchTCP = poll.Readable | poll.Priority

// scratch is what calls with several buffers, or an address, are made from.
type scratch struct {
	out []byte
	in4 unix.SockaddrInet4
	in6 unix.SockaddrInet6
}

// maxGather is how much one call takes of several buffers.
const maxGather = 64 << 10

func noDelay(fd descriptor) syscall.Errno {
	return errnoOf(unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
}

// duplicate is another number for a file, which a child does not inherit.
func duplicate(fd uintptr) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, err := unix.FcntlInt(fd, unix.F_DUPFD, 0)
	if err == nil {
		unix.CloseOnExec(n)
	}
	return n, err
}

func closeSocket(fd descriptor) error { return unix.Close(int(fd)) }

// errnoOf is the number of an error of package unix.
func errnoOf(err error) syscall.Errno {
	errno, _ := err.(syscall.Errno)
	return errno
}

// receive reads a socket. Whoever has a duplicate of an adopted one may have made it
// block.
func receive(r *row, b []byte) (uintptr, syscall.Errno) {
	if r.is&shared == 0 {
		return read(r, b)
	}
	n, _, err := unix.Recvfrom(int(r.fd), b, dontWait)
	return uintptr(n), errnoOf(err)
}

func read(r *row, b []byte) (uintptr, syscall.Errno) {
	n, err := unix.Read(int(r.fd), b)
	return uintptr(n), errnoOf(err)
}

// transmit writes to a socket: a peer that is gone shall not be a signal.
func transmit(r *row, b []byte) (uintptr, syscall.Errno) {
	n, err := unix.SendmsgN(int(r.fd), b, nil, nil, noSignal|dontWait)
	return uintptr(n), errnoOf(err)
}

func write(r *row, b []byte) (uintptr, syscall.Errno) {
	n, err := unix.Write(int(r.fd), b)
	return uintptr(n), errnoOf(err)
}

// transmitAll writes several buffers, copied to one: not every system's package has
// writev, and its sendmsg allocates for more than one.
func (a *scratch) transmitAll(r *row, bs [][]byte) (int, syscall.Errno) {
	out := a.out[:0]
	if out == nil {
		out = make([]byte, 0, maxGather)
	}
	for _, b := range bs {
		out = append(out, b...)
	}
	a.out = out
	send := write
	if r.isSocket() {
		send = transmit
	}
	n, errno := send(r, out)
	return int(n), errno
}

func receiveFrom(r *row, b []byte) (int, driver.Addr, syscall.Errno) {
	n, sa, err := unix.Recvfrom(int(r.fd), b, dontWait)
	if err != nil {
		return 0, driver.Addr{}, errnoOf(err)
	}
	from := addrOf(sa)
	switch from.Net {
	case driver.TCP:
		from.Net = driver.UDP
	case driver.Unix:
		from.Net = driver.Unixgram
	}
	return n, from, 0
}

func (a *scratch) transmitTo(r *row, b []byte, to netip.AddrPort) (int, syscall.Errno) {
	ip := to.Addr().Unmap()
	var sa unix.Sockaddr
	switch {
	case r.is&six != 0 && ip.IsValid():
		a.in6 = unix.SockaddrInet6{Port: int(to.Port()), Addr: ip.As16(), ZoneId: zone(ip)}
		sa = &a.in6
	case r.is&six == 0 && ip.Is4():
		a.in4 = unix.SockaddrInet4{Port: int(to.Port()), Addr: ip.As4()}
		sa = &a.in4
	default:
		return 0, syscall.EAFNOSUPPORT
	}
	if err := unix.Sendto(int(r.fd), b, noSignal|dontWait, sa); err != nil {
		return 0, errnoOf(err)
	}
	return len(b), 0
}
