//go:build unix

package osdriver

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// maxPath is how long the name of a unix socket may be.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// socket opens a socket for an address, and gives the address in the system's form.
func socket(a driver.Addr) (fd int, sa unix.Sockaddr, n nature, err error) {
	typ, family := unix.SOCK_STREAM, unix.AF_UNIX
	switch a.Net {
	case driver.UDP, driver.Unixgram:
		typ = unix.SOCK_DGRAM
	case driver.UnixPacket:
		typ = unix.SOCK_SEQPACKET
	}
	switch {
	case a.Net >= driver.Unix:
		if err := unixPath(a.Path); err != nil {
			return 0, nil, 0, err
		}
		n = [...]nature{driver.Unix: unixStream, driver.Unixgram: unixDatagram, driver.UnixPacket: unixPacket}[a.Net]
		sa = &unix.SockaddrUnix{Name: a.Path}
	default:
		n = tcpStream
		if a.Net == driver.UDP {
			n = inetDatagram
		}
		sa, family = inetSockaddr(a.IP)
	}
	fd, err = newSocket(family, typ)
	if n == unixPacket && (err == unix.EPROTONOSUPPORT || err == unix.EPROTOTYPE) {
		err = fmt.Errorf("unixpacket sockets on %s: %w: %w", runtime.GOOS, driver.ErrUnsupported, err)
	}
	return fd, sa, n, err
}

// unixPath tells what is wrong with the name of a unix socket.
func unixPath(path string) error {
	switch {
	case len(path) > maxPath:
		return fmt.Errorf("unix path of %d bytes: want at most %d", len(path), maxPath)
	case !abstractNames && path != "" && path[0] == '@':
		return fmt.Errorf("unix name %s, which is no file, on %s: %w", path, runtime.GOOS, driver.ErrUnsupported)
	}
	return nil
}

func inetSockaddr(ip netip.AddrPort) (unix.Sockaddr, int) {
	if is4(ip.Addr()) {
		return &unix.SockaddrInet4{Port: int(ip.Port()), Addr: ip.Addr().Unmap().As4()}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Port: int(ip.Port()), Addr: ip.Addr().As16(), ZoneId: zone(ip.Addr())}, unix.AF_INET6
}

func (d *Driver) Listen(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	fd, _, _, err := bound(a, o)
	if err != nil {
		return 0, err
	}
	backlog := o.Backlog
	if backlog == 0 {
		backlog = 1 << 16 // the kernel cuts it to somaxconn
	}
	if err := unix.Listen(fd, backlog); err != nil {
		unix.Close(fd)
		return 0, os.NewSyscallError("listen", err)
	}
	is := marks(0)
	if a.Net == driver.UnixPacket {
		is = packets
	}
	return d.add(descriptor(fd), listening, is)
}

func (d *Driver) Bind(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	fd, sa, n, err := bound(a, o)
	if err != nil {
		return 0, err
	}
	return d.add(descriptor(fd), n, familyOf(sa))
}

// familyOf marks what has an address of IPv6.
func familyOf(sa unix.Sockaddr) marks {
	if _, ok := sa.(*unix.SockaddrInet6); ok {
		return six
	}
	return 0
}

// bound is a socket bound to an address. Every address there is means those of
// IPv4 where the kernel has no IPv6, or keeps the two apart.
func bound(a driver.Addr, o driver.SocketOptions) (fd int, sa unix.Sockaddr, n nature, err error) {
	if o.ReusePort && spreads == 0 {
		return 0, nil, 0, fmt.Errorf("listeners that share a port on %s, which does not spread connections: %w", runtime.GOOS, driver.ErrUnsupported)
	}
	if everywhere(a, o) && !takesIPv4 {
		a = everywhere4(a)
	}
	fd, sa, n, err = socket(a)
	if err == unix.EAFNOSUPPORT && everywhere(a, o) {
		a = everywhere4(a)
		fd, sa, n, err = socket(a)
	}
	if err != nil {
		return 0, nil, 0, os.NewSyscallError("socket", err)
	}
	if a.Net == driver.TCP {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil && o.ReusePort {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, spreads, 1)
	}
	if familyOf(sa) == six && err == nil {
		only := 1
		if everywhere(a, o) {
			only = 0
		}
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	if err == nil {
		err = unix.Bind(fd, sa)
	}
	if err != nil {
		unix.Close(fd)
		return 0, nil, 0, os.NewSyscallError("bind", err)
	}
	return fd, sa, n, nil
}

func (d *Driver) Connect(a driver.Addr, o driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	fd, sa, n, err := socket(a)
	if err != nil {
		return 0, 0, err
	}
	flow, is := driver.Flow(0), familyOf(sa)
	switch err = unix.Connect(fd, sa); {
	case err == nil:
	case err == unix.EINPROGRESS, err == unix.EINTR:
		flow, is = driver.WriteBlocked, is|dialling
	case err == unix.EAGAIN && (n == unixStream || n == unixPacket):
		flow, is = driver.WriteBlocked, is|redials
	default:
		unix.Close(fd)
		return 0, 0, dialError(err)
	}
	if n == tcpStream {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	s, err := d.add(descriptor(fd), n, is)
	if err == nil && is&redials != 0 {
		d.redialLater(s, sa)
	}
	return s, flow, err
}

func dialError(err error) error {
	switch errno, _ := err.(syscall.Errno); errno {
	case unix.ECONNREFUSED, unix.ENOENT:
		return refusedError{errno}
	}
	return err
}

// Finish asks how a connection attempt ended, and what error a socket has. A
// socket without an error may still be on its way: only a peer's name proves that
// it is connected.
func (d *Driver) FinishConnect(s driver.Sock) (driver.Flow, error) {
	r := &d.rows[s]
	if r.is&redials != 0 {
		return d.redial(s)
	}
	fd := int(r.fd)
	switch n := r.nature; {
	case n == pipeOut || n == pipeBoth || n == fifo:
		return 0, unix.EPIPE // the reader is gone
	case n > listening:
		return 0, unix.EIO // the terminal is
	}
	e, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return 0, err
	}
	if e != 0 {
		return 0, dialError(syscall.Errno(e))
	}
	if _, err := unix.Getpeername(fd); err == unix.ENOTCONN {
		d.blocked(r, poll.Writable)
		return driver.WriteBlocked, nil
	}
	r.is &^= dialling
	return 0, nil
}

func (d *Driver) Accept(s driver.Sock) (driver.Sock, driver.Flow, error) {
	r := &d.rows[s]
	r.unblock()
	for {
		fd, errno := acceptOn(r)
		switch errno {
		case 0:
			return d.accepted(fd, r)
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.blocked(r, poll.Readable)
			return 0, driver.ReadBlocked, nil
		default:
			return 0, 0, errno
		}
	}
}

// accepted makes a row for a connection. Whether the listener is TCP's is asked
// of the connection once: setting TCP_NODELAY fails on others.
func (d *Driver) accepted(fd descriptor, of *row) (driver.Sock, driver.Flow, error) {
	errno := noDelay(fd)
	n := tcpStream
	switch {
	case of.is&packets != 0:
		n = unixPacket
	case errno != 0:
		n = unixStream
	}
	s, err := d.add(fd, n, 0)
	return s, 0, err
}

func (d *Driver) Addr(s driver.Sock, side driver.Side) (driver.Addr, error) {
	r := &d.rows[s]
	get := unix.Getsockname
	if side == driver.Remote {
		get = unix.Getpeername
	}
	sa, err := get(int(r.fd))
	if err != nil {
		return driver.Addr{}, err
	}
	a := addrOf(sa)
	if a.Net == driver.TCP && r.nature == inetDatagram {
		a.Net = driver.UDP
	}
	return a, nil
}

func addrOf(sa unix.Sockaddr) driver.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return driver.Addr{Net: driver.TCP, IP: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		return driver.Addr{Net: driver.TCP, IP: netip.AddrPortFrom(zoned(sa.Addr, sa.ZoneId), uint16(sa.Port))}
	case *unix.SockaddrUnix:
		return driver.Addr{Net: driver.Unix, Path: sa.Name}
	}
	return driver.Addr{}
}

// unlink removes the name of a unix listener that is closed, so that it can listen
// there again.
func unlink(fd descriptor) {
	if sa, err := unix.Getsockname(int(fd)); err == nil {
		if a := addrOf(sa); a.Net == driver.Unix && a.Path != "" && a.Path[0] != '@' {
			unix.Unlink(a.Path)
		}
	}
}
