package osdriver

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Sockets of TCP and UDP: how they are opened, bound, connected and accepted, and what their
// addresses are.

// openSocket opens a socket for an address, and returns the address in the system's form.
func openSocket(a driver.Addr) (h windows.Handle, sa windows.Sockaddr, typ socketType, flags socketFlags, err error) {
	sotype, protocol, typ := int32(windows.SOCK_STREAM), int32(windows.IPPROTO_TCP), tcpStream
	switch a.Net {
	case driver.TCP:
	case driver.UDP:
		sotype, protocol, typ = windows.SOCK_DGRAM, windows.IPPROTO_UDP, inetDatagram
	default:
		return 0, nil, 0, 0, fmt.Errorf("unix sockets: %w: want tcp or udp", driver.ErrUnsupported)
	}
	family := int32(windows.AF_INET)
	if ip := a.IP.Addr(); isIPv4(ip) {
		sa = &windows.SockaddrInet4{Port: int(a.IP.Port()), Addr: ip.Unmap().As4()}
	} else {
		sa = &windows.SockaddrInet6{Port: int(a.IP.Port()), Addr: ip.As16(), ZoneId: zoneIndex(ip)}
		family, flags = windows.AF_INET6, ipv6
	}
	h, err = windows.WSASocket(family, sotype, protocol, nil, 0, windows.WSA_FLAG_OVERLAPPED|windows.WSA_FLAG_NO_HANDLE_INHERIT)
	return h, sa, typ, flags, os.NewSyscallError("WSASocket", portableError(err))
}

func (d *Driver) Listen(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	h, _, flags, err := openBound(a, o)
	if err != nil {
		return 0, err
	}
	backlog := o.Backlog
	if backlog == 0 {
		backlog = windows.SOMAXCONN
	}
	if err := windows.Listen(h, backlog); err != nil {
		windows.Closesocket(h)
		return 0, os.NewSyscallError("listen", portableError(err))
	}
	s, err := d.addSocket(h, listening, flags)
	if err == nil {
		d.SetKeepAlive(s, o.KeepAlive)
	}
	return s, err
}

func (d *Driver) Bind(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	h, typ, flags, err := openBound(a, o)
	if err != nil {
		return 0, err
	}
	return d.addSocket(h, typ, flags)
}

// openBound opens a socket that is bound to an address. The wildcard of IPv6 becomes that
// of IPv4 where the system has no IPv6.
func openBound(a driver.Addr, o driver.SocketOptions) (h windows.Handle, typ socketType, flags socketFlags, err error) {
	if o.ReusePort { // SO_REUSEADDR lets any process take over an address in use, and does not spread connections
		return 0, 0, 0, fmt.Errorf("listeners that share a port: %w: want one listener per port", driver.ErrUnsupported)
	}
	h, sa, typ, flags, err := openSocket(a)
	if err != nil && isWildcard(a, o) {
		a = wildcard4(a)
		h, sa, typ, flags, err = openSocket(a)
	}
	if err != nil {
		return 0, 0, 0, err
	}
	if flags&ipv6 != 0 {
		only := 1
		if isWildcard(a, o) {
			only = 0
		}
		err = windows.SetsockoptInt(h, windows.IPPROTO_IPV6, windows.IPV6_V6ONLY, only)
	}
	if err == nil {
		err = windows.Bind(h, sa)
	}
	if err != nil {
		windows.Closesocket(h)
		return 0, 0, 0, os.NewSyscallError("bind", portableError(err))
	}
	return h, typ, flags, nil
}

func (d *Driver) Connect(a driver.Addr, o driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	h, sa, typ, flags, err := openSocket(a)
	if err != nil {
		return 0, 0, err
	}
	s, err := d.addSocket(h, typ, flags)
	if err != nil {
		return 0, 0, err
	}
	if typ == tcpStream {
		windows.SetsockoptInt(h, windows.IPPROTO_TCP, windows.TCP_NODELAY, 1)
		setKeepAlive(h, o.KeepAlive)
	}
	switch err := windows.Connect(h, sa); err {
	case nil:
		if d.connectedToItself(s) {
			defer d.Close(s) // afterwards: the next socket gets another port
			return d.Connect(a, o)
		}
		return s, 0, nil
	case windows.WSAEWOULDBLOCK:
		d.sockets[s].flags |= connecting
		return s, driver.WriteBlocked, nil
	default:
		d.Close(s)
		return 0, 0, connectError(err)
	}
}

// FinishConnect looks for an error of the socket, and then for a peer: the connection of
// a socket without an error may still be under way.
func (d *Driver) FinishConnect(s driver.Sock) (driver.Flow, error) {
	e := &d.sockets[s]
	code, err := windows.GetsockoptInt(e.fd, windows.SOL_SOCKET, soError)
	if err != nil {
		return 0, portableError(err)
	}
	if code != 0 {
		return 0, connectError(syscall.Errno(code))
	}
	if _, err := windows.Getpeername(e.fd); err == windows.WSAENOTCONN {
		d.noteBlocked(e, poll.Writable)
		return driver.WriteBlocked, nil
	}
	if e.flags&connecting != 0 && d.connectedToItself(s) {
		return 0, connectError(windows.WSAECONNREFUSED)
	}
	e.flags &^= connecting
	return 0, nil
}

func (d *Driver) Accept(s driver.Sock) (driver.Sock, driver.Flow, error) {
	e := &d.sockets[s]
	got, _, errno := syscall.SyscallN(accept.Addr(), uintptr(e.fd), 0, 0)
	h := windows.Handle(got)
	if h == windows.InvalidHandle {
		if errno == windows.WSAEWOULDBLOCK {
			d.noteBlocked(e, poll.Readable)
			return 0, driver.ReadBlocked, nil
		}
		return 0, 0, portableError(errno)
	}
	windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	windows.SetsockoptInt(h, windows.IPPROTO_TCP, windows.TCP_NODELAY, 1)
	d.keepAliveAccepted(h, s)
	conn, err := d.addSocket(h, tcpStream, e.flags&ipv6)
	return conn, 0, err
}

func (d *Driver) Addr(s driver.Sock, side driver.Side) (driver.Addr, error) {
	e := &d.sockets[s]
	get := windows.Getsockname
	if side == driver.Remote {
		get = windows.Getpeername
	}
	sa, err := get(e.fd)
	if err != nil {
		return driver.Addr{}, portableError(err)
	}
	a := driver.Addr{Net: driver.TCP}
	if e.typ == inetDatagram {
		a.Net = driver.UDP
	}
	switch sa := sa.(type) {
	case *windows.SockaddrInet4:
		a.IP = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *windows.SockaddrInet6:
		a.IP = netip.AddrPortFrom(addrWithZone(sa.Addr, sa.ZoneId), uint16(sa.Port))
	}
	return a, nil
}
