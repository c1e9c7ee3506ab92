package reactor

import (
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/poll"
)

const sockFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// socket opens a socket for an address, and gives the address in the system's form.
func socket(a Addr) (fd int, sa unix.Sockaddr, n nature, err error) {
	typ := unix.SOCK_STREAM
	switch a.Net {
	case UDP, Unixgram:
		typ = unix.SOCK_DGRAM
	case UnixPacket:
		typ = unix.SOCK_SEQPACKET
	}
	family := unix.AF_UNIX
	switch {
	case a.Net >= Unix:
		n = [...]nature{Unix: unixStream, Unixgram: unixDatagram, UnixPacket: unixPacket}[a.Net]
		sa = &unix.SockaddrUnix{Name: a.Path}
	default:
		n = tcpStream
		if a.Net == UDP {
			n = inetDatagram
		}
		sa, family = inetSockaddr(a.IP)
	}
	fd, err = unix.Socket(family, typ|sockFlags, 0)
	return fd, sa, n, err
}

func inetSockaddr(ip netip.AddrPort) (unix.Sockaddr, int) {
	if ip.Addr().Is4() || ip.Addr().Is4In6() {
		return &unix.SockaddrInet4{Port: int(ip.Port()), Addr: ip.Addr().Unmap().As4()}, unix.AF_INET
	}
	return &unix.SockaddrInet6{Port: int(ip.Port()), Addr: ip.Addr().As16(), ZoneId: zone(ip.Addr())}, unix.AF_INET6
}

func (d *osDriver) Listen(a Addr, o Opt) (Sock, error) {
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
	s, err := d.add(fd, listening)
	if err == nil && a.Net == UnixPacket {
		d.rows[s].is |= packets
	}
	return s, err
}

func (d *osDriver) Bind(a Addr, o Opt) (Sock, error) {
	fd, sa, n, err := bound(a, o)
	if err != nil {
		return 0, err
	}
	return d.addInet(fd, n, sa)
}

// addInet is add with the family of the socket's address noted.
func (d *osDriver) addInet(fd int, n nature, sa unix.Sockaddr) (Sock, error) {
	s, err := d.add(fd, n)
	if err == nil {
		if _, ok := sa.(*unix.SockaddrInet6); ok {
			d.rows[s].is |= six
		}
	}
	return s, err
}

// bound is a socket bound to an address. Every address there is means those of
// IPv4 where the kernel has no IPv6.
func bound(a Addr, o Opt) (fd int, sa unix.Sockaddr, n nature, err error) {
	fd, sa, n, err = socket(a)
	if err == unix.EAFNOSUPPORT && a.IP.Addr() == netip.IPv6Unspecified() && !o.V6Only {
		a.IP = netip.AddrPortFrom(netip.IPv4Unspecified(), a.IP.Port())
		fd, sa, n, err = socket(a)
	}
	if err != nil {
		return 0, nil, 0, os.NewSyscallError("socket", err)
	}
	if a.Net == TCP {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil && o.ReusePort {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if _, ok := sa.(*unix.SockaddrInet6); ok && err == nil {
		only := 0
		if o.V6Only || a.IP.Addr() != netip.IPv6Unspecified() {
			only = 1
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

func (d *osDriver) Connect(a Addr, o Opt) (Sock, Flow, error) {
	fd, sa, n, err := socket(a)
	if err != nil {
		return 0, 0, err
	}
	flow := Flow(0)
	err = unix.Connect(fd, sa)
	again := err == unix.EAGAIN && (n == unixStream || n == unixPacket)
	switch {
	case err == nil:
	case err == unix.EINPROGRESS, err == unix.EINTR, again:
		flow = Full
	default:
		unix.Close(fd)
		return 0, 0, dialError(err)
	}
	if n == tcpStream {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	s, err := d.addInet(fd, n, sa)
	if err == nil && again {
		d.redialLater(s, sa)
	}
	return s, flow, err
}

// refusedError is an errno that is ErrRefused too. It is comparable, so that all ports
// share its number.
type refusedError struct{ errno syscall.Errno }

func (e refusedError) Error() string   { return ErrRefused.Error() + ": " + e.errno.Error() }
func (e refusedError) Unwrap() []error { return []error{ErrRefused, e.errno} }

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
func (d *osDriver) Finish(s Sock) (Flow, error) {
	if d.rows[s].is&dialling != 0 {
		return d.redial(s)
	}
	fd := int(d.rows[s].fd)
	switch n := d.rows[s].nature; {
	case n == pipeOut || n == fifo:
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
		d.blocked(&d.rows[s], poll.Writable)
		return Full, nil
	}
	return 0, nil
}

func (d *osDriver) Accept(s Sock) (Sock, Flow, error) {
	r := &d.rows[s]
	for {
		fd, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(r.fd), 0, 0, sockFlags, 0, 0)
		switch errno {
		case 0:
			return d.accepted(int(fd), r)
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.blocked(r, poll.Readable)
			return 0, Drained, nil
		default:
			return 0, 0, errno
		}
	}
}

// accepted makes a row for a connection. Whether the listener is TCP's is asked
// of the connection once: setting TCP_NODELAY fails on others.
func (d *osDriver) accepted(fd int, of *row) (Sock, Flow, error) {
	one := int32(1)
	_, _, errno := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY,
		uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one), 0)
	n := tcpStream
	switch {
	case of.is&packets != 0:
		n = unixPacket
	case errno != 0:
		n = unixStream
	}
	s, err := d.add(fd, n)
	return s, 0, err
}

func (d *osDriver) Name(s Sock, side Side) (Addr, error) {
	r := &d.rows[s]
	get := unix.Getsockname
	if side == Remote {
		get = unix.Getpeername
	}
	sa, err := get(int(r.fd))
	if err != nil {
		return Addr{}, err
	}
	a := addrOf(sa)
	if a.Net == TCP && r.nature == inetDatagram {
		a.Net = UDP
	}
	return a, nil
}

func addrOf(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return Addr{Net: TCP, IP: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		return Addr{Net: TCP, IP: netip.AddrPortFrom(zoned(sa.Addr, sa.ZoneId), uint16(sa.Port))}
	case *unix.SockaddrUnix:
		return Addr{Net: Unix, Path: sa.Name}
	}
	return Addr{}
}

// unlink removes the name of a unix listener that is closed, so that it can listen
// there again.
func unlink(fd int32) {
	if sa, err := unix.Getsockname(int(fd)); err == nil {
		if a := addrOf(sa); a.Net == Unix && a.Path != "" && a.Path[0] != '@' {
			unix.Unlink(a.Path)
		}
	}
}

// zoned is an IPv6 address with its interface, or the IPv4 address that it stands for.
func zoned(b [16]byte, zone uint32) netip.Addr {
	ip := netip.AddrFrom16(b).Unmap()
	if zone != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(zone), 10))
	}
	return ip
}

func zone(a netip.Addr) uint32 {
	n, _ := strconv.ParseUint(a.Zone(), 10, 32)
	return uint32(n)
}

func (d *osDriver) Recv(s Sock, b []byte) (int, Addr, Flow, error) {
	r := &d.rows[s]
	var sa syscall.RawSockaddrAny
	for {
		size := uint32(unsafe.Sizeof(sa))
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		switch errno {
		case 0:
			raceWrite(b[:n])
			return int(n), rawAddr(&sa, size), 0, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.blocked(r, poll.Readable)
			return 0, Addr{}, Drained, nil
		default:
			if !r.forgives(errno) {
				return 0, Addr{}, Gone, errno
			}
		}
	}
}

func rawAddr(sa *syscall.RawSockaddrAny, size uint32) Addr {
	switch sa.Addr.Family {
	case syscall.AF_INET:
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		return Addr{Net: UDP, IP: netip.AddrPortFrom(netip.AddrFrom4(in.Addr), swapped(in.Port))}
	case syscall.AF_INET6:
		in := (*syscall.RawSockaddrInet6)(unsafe.Pointer(sa))
		return Addr{Net: UDP, IP: netip.AddrPortFrom(zoned(in.Addr, in.Scope_id), swapped(in.Port))}
	case syscall.AF_UNIX:
		un := (*syscall.RawSockaddrUnix)(unsafe.Pointer(sa))
		path := make([]byte, 0, len(un.Path))
		for i := 0; i < int(size)-2 && i < len(un.Path); i++ {
			if c := byte(un.Path[i]); c != 0 {
				path = append(path, c)
			} else if i > 0 {
				break
			} else {
				path = append(path, '@')
			}
		}
		return Addr{Net: Unixgram, Path: string(path)}
	}
	return Addr{}
}

// swapped turns a port between the network's order of bytes and the machine's.
func swapped(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

func (d *osDriver) Send(s Sock, b []byte, to Addr) (int, Flow, error) {
	r := &d.rows[s]
	if to.Net == Unixgram {
		return d.sendUnix(s, b, to)
	}
	var sa syscall.RawSockaddrInet6
	size, err := encode(r, &sa, to.IP)
	if err != nil {
		return 0, 0, err
	}
	raceRead(b)
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&sa)), size)
		switch errno {
		case 0:
			return int(n), 0, nil
		case syscall.EINTR, syscall.ECONNREFUSED:
		case syscall.EAGAIN:
			d.blocked(r, poll.Writable)
			return 0, Full, nil
		case syscall.ENOBUFS:
			d.retry(s)
			return 0, Full, nil
		default:
			return 0, 0, errno
		}
	}
}

// encode writes an address in the family of the socket.
func encode(r *row, sa *syscall.RawSockaddrInet6, to netip.AddrPort) (uintptr, error) {
	ip := to.Addr().Unmap()
	switch {
	case r.is&six != 0 && ip.IsValid():
		*sa = syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: swapped(to.Port()), Addr: ip.As16(), Scope_id: zone(ip)}
		return unsafe.Sizeof(*sa), nil
	case r.is&six == 0 && ip.Is4():
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		*in = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: swapped(to.Port()), Addr: ip.As4()}
		return unsafe.Sizeof(*in), nil
	}
	return 0, syscall.EAFNOSUPPORT
}

func (d *osDriver) sendUnix(s Sock, b []byte, to Addr) (int, Flow, error) {
	switch err := unix.Sendto(int(d.rows[s].fd), b, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, &unix.SockaddrUnix{Name: to.Path}); err {
	case nil:
		return len(b), 0, nil
	case unix.EAGAIN, unix.ENOBUFS: // whose queue is full tells nobody but who is connected to it
		d.retry(s)
		return 0, Full, nil
	default:
		return 0, 0, err
	}
}
