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

// Sockets of all networks: how they are opened, bound, connected and accepted, and what
// their addresses are.

// maxPath is how many bytes the path of a unix socket may have.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// openSocket opens a socket for an address, and returns the address in the system's form.
func openSocket(a driver.Addr) (fd int, sa unix.Sockaddr, typ socketType, err error) {
	sotype, family := unix.SOCK_STREAM, unix.AF_UNIX
	switch a.Net {
	case driver.UDP, driver.Unixgram:
		sotype = unix.SOCK_DGRAM
	case driver.UnixPacket:
		sotype = unix.SOCK_SEQPACKET
	}
	switch {
	case a.Net >= driver.Unix:
		if err := checkUnixPath(a.Path); err != nil {
			return 0, nil, 0, err
		}
		typ = [...]socketType{driver.Unix: unixStream, driver.Unixgram: unixDatagram, driver.UnixPacket: unixPacket}[a.Net]
		sa = &unix.SockaddrUnix{Name: a.Path}
	default:
		typ = tcpStream
		if a.Net == driver.UDP {
			typ = inetDatagram
		}
		sa, family = inetSockaddr(a.IP)
	}
	fd, err = newSocket(family, sotype)
	if typ == unixPacket && (err == unix.EPROTONOSUPPORT || err == unix.EPROTOTYPE) {
		err = fmt.Errorf("unixpacket sockets on %s: %w: %w", runtime.GOOS, driver.ErrUnsupported, err)
	}
	return fd, sa, typ, err
}

// checkUnixPath returns what is wrong with the path of a unix socket.
func checkUnixPath(path string) error {
	switch {
	case len(path) > maxPath:
		return fmt.Errorf("unix path of %d bytes: want at most %d", len(path), maxPath)
	case !abstractNames && path != "" && path[0] == '@':
		return fmt.Errorf("abstract unix name %s on %s: %w", path, runtime.GOOS, driver.ErrUnsupported)
	}
	return nil
}

func inetSockaddr(ip netip.AddrPort) (unix.Sockaddr, int) {
	if isIPv4(ip.Addr()) {
		return &unix.SockaddrInet4{Port: int(ip.Port()), Addr: ip.Addr().Unmap().As4()}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Port: int(ip.Port()), Addr: ip.Addr().As16(), ZoneId: zoneIndex(ip.Addr())}, unix.AF_INET6
}

func (d *Driver) Listen(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	fd, _, _, err := openBound(a, o)
	if err != nil {
		return 0, err
	}
	if inheritsKeepAlive && a.Net == driver.TCP {
		setKeepAlive(descriptor(fd), o.KeepAlive)
	}
	backlog := o.Backlog
	if backlog == 0 {
		backlog = 1 << 16 // the kernel lowers it to somaxconn
	}
	if err := unix.Listen(fd, backlog); err != nil {
		boundPathOf(a).unlink()
		unix.Close(fd)
		return 0, os.NewSyscallError("listen", err)
	}
	flags := socketFlags(0)
	if a.Net == driver.UnixPacket {
		flags = seqpacket
	}
	s, err := d.addBound(fd, listening, flags, a)
	if err == nil {
		d.SetKeepAlive(s, o.KeepAlive)
	}
	return s, err
}

func (d *Driver) Bind(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	fd, sa, typ, err := openBound(a, o)
	if err != nil {
		return 0, err
	}
	return d.addBound(fd, typ, familyFlag(sa), a)
}

// familyFlag returns ipv6 if the address is one of IPv6.
func familyFlag(sa unix.Sockaddr) socketFlags {
	if _, ok := sa.(*unix.SockaddrInet6); ok {
		return ipv6
	}
	return 0
}

// openBound opens a socket that is bound to an address. The wildcard of IPv6 becomes that
// of IPv4 where the kernel has no IPv6, or keeps the two apart.
func openBound(a driver.Addr, o driver.SocketOptions) (fd int, sa unix.Sockaddr, typ socketType, err error) {
	if o.ReusePort && reusePortOption == 0 {
		return 0, nil, 0, fmt.Errorf("listeners that share an address on %s, which does not spread connections: %w", runtime.GOOS, driver.ErrUnsupported)
	}
	if isWildcard(a, o) && !dualStack {
		a = wildcard4(a)
	}
	fd, sa, typ, err = openSocket(a)
	if err == unix.EAFNOSUPPORT && isWildcard(a, o) {
		a = wildcard4(a)
		fd, sa, typ, err = openSocket(a)
	}
	if err != nil {
		return 0, nil, 0, os.NewSyscallError("socket", err)
	}
	if a.Net == driver.TCP {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil && o.ReusePort {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, reusePortOption, 1)
	}
	if familyFlag(sa) == ipv6 && err == nil {
		only := 1
		if isWildcard(a, o) {
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
	return fd, sa, typ, nil
}

func (d *Driver) Connect(a driver.Addr, o driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	fd, sa, typ, err := openSocket(a)
	if err != nil {
		return 0, 0, err
	}
	flow, flags := driver.Flow(0), familyFlag(sa)
	switch err = unix.Connect(fd, sa); {
	case err == nil:
	case err == unix.EINPROGRESS, err == unix.EINTR:
		flow, flags = driver.WriteBlocked, flags|connecting
	case err == unix.EAGAIN && (typ == unixStream || typ == unixPacket):
		flow, flags = driver.WriteBlocked, flags|awaitsReconnect
	default:
		unix.Close(fd)
		return 0, 0, connectError(err)
	}
	if typ == tcpStream {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		setKeepAlive(descriptor(fd), o.KeepAlive)
	}
	s, err := d.add(descriptor(fd), typ, flags)
	if err == nil && flags&awaitsReconnect != 0 {
		d.noteReconnect(s, sa)
	}
	if err == nil && flow == 0 && d.connectedToItself(s) {
		defer d.Close(s) // afterwards: the next socket gets another port
		return d.Connect(a, o)
	}
	return s, flow, err
}

// connectError marks an error of connect(2) as ErrRefused if nothing listens there.
func connectError(err error) error {
	switch errno, _ := err.(syscall.Errno); errno {
	case unix.ECONNREFUSED, unix.ENOENT:
		return refusedError{errno}
	}
	return err
}

// FinishConnect looks for an error of the socket, and then for a peer: the connection of
// a socket without an error may still be under way.
func (d *Driver) FinishConnect(s driver.Sock) (driver.Flow, error) {
	e := &d.sockets[s]
	if e.flags&awaitsReconnect != 0 {
		return d.reconnect(s)
	}
	fd := int(e.fd)
	switch typ := e.typ; {
	case typ == pipeOut || typ == pipeBoth || typ == fifo:
		return 0, unix.EPIPE // the reader is gone
	case typ > listening:
		return 0, unix.EIO // the terminal's other end is gone
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return 0, err
	}
	if code != 0 {
		return 0, connectError(syscall.Errno(code))
	}
	if _, err := unix.Getpeername(fd); err == unix.ENOTCONN {
		d.noteBlocked(e, poll.Writable)
		return driver.WriteBlocked, nil
	}
	if e.flags&connecting != 0 && d.connectedToItself(s) {
		return 0, connectError(unix.ECONNREFUSED)
	}
	e.flags &^= connecting
	return 0, nil
}

func (d *Driver) Accept(s driver.Sock) (driver.Sock, driver.Flow, error) {
	e := &d.sockets[s]
	e.ensureNonblocking()
	for {
		fd, errno := accept(e)
		switch errno {
		case 0:
			return d.addAccepted(fd, s)
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.noteBlocked(e, poll.Readable)
			return 0, driver.ReadBlocked, nil
		default:
			return 0, 0, errno
		}
	}
}

// addAccepted makes an entry for a connection. It is one of TCP if TCP_NODELAY can be
// set.
func (d *Driver) addAccepted(fd descriptor, from driver.Sock) (driver.Sock, driver.Flow, error) {
	errno := noDelay(fd)
	typ := tcpStream
	switch {
	case d.sockets[from].flags&seqpacket != 0:
		typ = unixPacket
	case errno != 0:
		typ = unixStream
	default:
		d.keepAliveAccepted(fd, from)
	}
	s, err := d.add(fd, typ, 0)
	return s, 0, err
}

func (d *Driver) Addr(s driver.Sock, side driver.Side) (driver.Addr, error) {
	e := &d.sockets[s]
	get := unix.Getsockname
	if side == driver.Remote {
		get = unix.Getpeername
	}
	sa, err := get(int(e.fd))
	if err != nil {
		return driver.Addr{}, err
	}
	a := addrOf(sa)
	if a.Net == driver.TCP && e.typ == inetDatagram {
		a.Net = driver.UDP
	}
	return a, nil
}

// addrOf returns an address as that of a stream socket.
func addrOf(sa unix.Sockaddr) driver.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return driver.Addr{Net: driver.TCP, IP: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		return driver.Addr{Net: driver.TCP, IP: netip.AddrPortFrom(addrWithZone(sa.Addr, sa.ZoneId), uint16(sa.Port))}
	case *unix.SockaddrUnix:
		return driver.Addr{Net: driver.Unix, Path: sa.Name}
	}
	return driver.Addr{}
}
