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
// libc may make them. They allocate nothing but the addresses that accept and recvfrom
// return.

// tcpInterest is what a TCP connection is registered for at first. The first call that finds
// no room adds Writable: a kqueue has an event for room with each acknowledgement.
const tcpInterest = poll.Readable | poll.Priority

// scratch has memory of the Driver's for a call with several buffers, or an address.
type scratch struct {
	out []byte
	in4 unix.SockaddrInet4
	in6 unix.SockaddrInet6
}

// maxWritev bounds how many bytes one writev takes.
const maxWritev = 64 << 10

// noDelay sets TCP_NODELAY.
func noDelay(fd descriptor) syscall.Errno {
	return errnoOf(unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
}

// duplicate returns a duplicate of a descriptor, which a child does not inherit.
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

// errnoOf returns the number of an error of package unix, 0 of nil.
func errnoOf(err error) syscall.Errno {
	errno, _ := err.(syscall.Errno)
	return errno
}

// recv reads from a socket. One that was adopted may have been set to blocking mode by
// another process.
func recv(e *socketEntry, b []byte) (uintptr, syscall.Errno) {
	if e.flags&adopted == 0 {
		return read(e, b)
	}
	n, _, err := unix.Recvfrom(int(e.fd), b, msgDontWait)
	return uintptr(n), errnoOf(err)
}

// read reads from a file that is not a socket.
func read(e *socketEntry, b []byte) (uintptr, syscall.Errno) {
	n, err := unix.Read(int(e.fd), b)
	return uintptr(n), errnoOf(err)
}

// send writes to a socket. If its peer is gone that is an error, and not a SIGPIPE.
func send(e *socketEntry, b []byte) (uintptr, syscall.Errno) {
	n, err := unix.SendmsgN(int(e.fd), b, nil, nil, msgNoSignal|msgDontWait)
	return uintptr(n), errnoOf(err)
}

// write writes to a file that is not a socket.
func write(e *socketEntry, b []byte) (uintptr, syscall.Errno) {
	n, err := unix.Write(int(e.fd), b)
	return uintptr(n), errnoOf(err)
}

// writev writes several buffers, which it copies to one: package unix does not have writev
// for every system, and its sendmsg allocates for several buffers.
func (a *scratch) writev(e *socketEntry, bs [][]byte) (int, syscall.Errno) {
	out := a.out[:0]
	if out == nil {
		out = make([]byte, 0, maxWritev)
	}
	for _, b := range bs {
		out = append(out, b...)
	}
	a.out = out
	call := write
	if e.isSocket() {
		call = send
	}
	n, errno := call(e, out)
	return int(n), errno
}

// recvFrom receives a datagram.
func recvFrom(e *socketEntry, b []byte) (int, driver.Addr, syscall.Errno) {
	n, sa, err := unix.Recvfrom(int(e.fd), b, msgDontWait)
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

// sendTo sends a datagram, to an address in the family of the socket.
func (a *scratch) sendTo(e *socketEntry, b []byte, to netip.AddrPort) (int, syscall.Errno) {
	ip := to.Addr().Unmap()
	var sa unix.Sockaddr
	switch {
	case e.flags&ipv6 != 0 && ip.IsValid():
		a.in6 = unix.SockaddrInet6{Port: int(to.Port()), Addr: ip.As16(), ZoneId: zoneIndex(ip)}
		sa = &a.in6
	case e.flags&ipv6 == 0 && ip.Is4():
		a.in4 = unix.SockaddrInet4{Port: int(to.Port()), Addr: ip.As4()}
		sa = &a.in4
	default:
		return 0, syscall.EAFNOSUPPORT
	}
	if err := unix.Sendto(int(e.fd), b, msgNoSignal|msgDontWait, sa); err != nil {
		return 0, errnoOf(err)
	}
	return len(b), 0
}
