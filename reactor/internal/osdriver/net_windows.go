package osdriver

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Winsock's calls are made without package windows where that would allocate: it
// boxes each error.
var (
	ws2         = windows.NewLazySystemDLL("ws2_32.dll")
	accept      = ws2.NewProc("accept")
	ioctlsocket = ws2.NewProc("ioctlsocket")
	recv        = ws2.NewProc("recv")
	recvfrom    = ws2.NewProc("recvfrom")
	send        = ws2.NewProc("send")
	sendto      = ws2.NewProc("sendto")
	sendv       = ws2.NewProc("WSASend")
)

// What package windows lacks of Winsock's constants.
const (
	fionbio      = 0x8004667E
	soError      = 0x1007
	soAcceptConn = 0x0002
	soType       = 0x1008
)

// maxIO bounds how much one call takes. A send that finds any room is taken whole, into
// memory that can't be paged, and fails with WSAENOBUFS where that is not to be had.
const maxIO = 256 << 10

// length is what of b one call takes.
func length(b []byte) int { return min(len(b), maxIO) }

// block makes a socket's calls block, or answer WSAEWOULDBLOCK.
func block(h windows.Handle, on bool) error {
	mode := uint32(1)
	if on {
		mode = 0
	}
	if failed, _, errno := syscall.SyscallN(ioctlsocket.Addr(), uintptr(h), fionbio, uintptr(unsafe.Pointer(&mode))); failed != 0 {
		return os.NewSyscallError("ioctlsocket", errno)
	}
	return nil
}

// socket opens a socket for an address, and gives the address in the system's form.
func socket(a driver.Addr) (h windows.Handle, sa windows.Sockaddr, n nature, is marks, err error) {
	typ, protocol, n := int32(windows.SOCK_STREAM), int32(windows.IPPROTO_TCP), tcpStream
	switch a.Net {
	case driver.TCP:
	case driver.UDP:
		typ, protocol, n = windows.SOCK_DGRAM, windows.IPPROTO_UDP, inetDatagram
	default:
		return 0, nil, 0, 0, fmt.Errorf("unix sockets: %w: want tcp or udp", driver.ErrUnsupported)
	}
	family := int32(windows.AF_INET)
	if ip := a.IP.Addr(); is4(ip) {
		sa = &windows.SockaddrInet4{Port: int(a.IP.Port()), Addr: ip.Unmap().As4()}
	} else {
		sa = &windows.SockaddrInet6{Port: int(a.IP.Port()), Addr: ip.As16(), ZoneId: zone(ip)}
		family, is = windows.AF_INET6, six
	}
	h, err = windows.WSASocket(family, typ, protocol, nil, 0, windows.WSA_FLAG_OVERLAPPED|windows.WSA_FLAG_NO_HANDLE_INHERIT)
	return h, sa, n, is, os.NewSyscallError("WSASocket", portable(err))
}

func (d *Driver) Listen(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	h, _, is, err := bound(a, o)
	if err != nil {
		return 0, err
	}
	backlog := o.Backlog
	if backlog == 0 {
		backlog = windows.SOMAXCONN
	}
	if err := windows.Listen(h, backlog); err != nil {
		windows.Closesocket(h)
		return 0, os.NewSyscallError("listen", portable(err))
	}
	return d.addSocket(h, listening, is)
}

func (d *Driver) Bind(a driver.Addr, o driver.SocketOptions) (driver.Sock, error) {
	h, n, is, err := bound(a, o)
	if err != nil {
		return 0, err
	}
	return d.addSocket(h, n, is)
}

// bound is a socket bound to an address. Every address there is means those of IPv4
// where the system has no IPv6.
func bound(a driver.Addr, o driver.SocketOptions) (h windows.Handle, n nature, is marks, err error) {
	if o.ReusePort { // SO_REUSEADDR is theft here: the connections go to any one socket
		return 0, 0, 0, fmt.Errorf("listeners that share a port: %w: want one listener a port", driver.ErrUnsupported)
	}
	h, sa, n, is, err := socket(a)
	if err != nil && everywhere(a, o) {
		a = everywhere4(a)
		h, sa, n, is, err = socket(a)
	}
	if err != nil {
		return 0, 0, 0, err
	}
	if is&six != 0 {
		only := 1
		if everywhere(a, o) {
			only = 0
		}
		err = windows.SetsockoptInt(h, windows.IPPROTO_IPV6, windows.IPV6_V6ONLY, only)
	}
	if err == nil {
		err = windows.Bind(h, sa)
	}
	if err != nil {
		windows.Closesocket(h)
		return 0, 0, 0, os.NewSyscallError("bind", portable(err))
	}
	return h, n, is, nil
}

func (d *Driver) Connect(a driver.Addr, o driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	h, sa, n, is, err := socket(a)
	if err != nil {
		return 0, 0, err
	}
	s, err := d.addSocket(h, n, is)
	if err != nil {
		return 0, 0, err
	}
	if n == tcpStream {
		windows.SetsockoptInt(h, windows.IPPROTO_TCP, windows.TCP_NODELAY, 1)
	}
	switch err := windows.Connect(h, sa); err {
	case nil:
		return s, 0, nil
	case windows.WSAEWOULDBLOCK:
		d.rows[s].is |= dialling
		return s, driver.WriteBlocked, nil
	default:
		d.Close(s)
		return 0, 0, dialError(err)
	}
}

// Finish asks how a connection attempt ended, and what error a socket has. A socket
// without an error may still be on its way: only a peer's name proves that it is
// connected.
func (d *Driver) FinishConnect(s driver.Sock) (driver.Flow, error) {
	r := &d.rows[s]
	e, err := windows.GetsockoptInt(r.fd, windows.SOL_SOCKET, soError)
	if err != nil {
		return 0, portable(err)
	}
	if e != 0 {
		return 0, dialError(syscall.Errno(e))
	}
	if _, err := windows.Getpeername(r.fd); err == windows.WSAENOTCONN {
		d.blocked(r, poll.Writable)
		return driver.WriteBlocked, nil
	}
	r.is &^= dialling
	return 0, nil
}

func (d *Driver) Accept(s driver.Sock) (driver.Sock, driver.Flow, error) {
	r := &d.rows[s]
	got, _, errno := syscall.SyscallN(accept.Addr(), uintptr(r.fd), 0, 0)
	h := windows.Handle(got)
	if h == windows.InvalidHandle {
		if errno == windows.WSAEWOULDBLOCK {
			d.blocked(r, poll.Readable)
			return 0, driver.ReadBlocked, nil
		}
		return 0, 0, portable(errno)
	}
	windows.SetHandleInformation(h, windows.HANDLE_FLAG_INHERIT, 0)
	windows.SetsockoptInt(h, windows.IPPROTO_TCP, windows.TCP_NODELAY, 1)
	conn, err := d.addSocket(h, tcpStream, r.is&six)
	return conn, 0, err
}

func (d *Driver) Addr(s driver.Sock, side driver.Side) (driver.Addr, error) {
	r := &d.rows[s]
	get := windows.Getsockname
	if side == driver.Remote {
		get = windows.Getpeername
	}
	sa, err := get(r.fd)
	if err != nil {
		return driver.Addr{}, portable(err)
	}
	a := driver.Addr{Net: driver.TCP}
	if r.nature == inetDatagram {
		a.Net = driver.UDP
	}
	switch sa := sa.(type) {
	case *windows.SockaddrInet4:
		a.IP = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *windows.SockaddrInet6:
		a.IP = netip.AddrPortFrom(zoned(sa.Addr, sa.ZoneId), uint16(sa.Port))
	}
	return a, nil
}

func (d *Driver) Recv(s driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	r := &d.rows[s]
	var sa syscall.RawSockaddrInet6
	for {
		size := int32(unsafe.Sizeof(sa))
		got, _, errno := syscall.SyscallN(recvfrom.Addr(), uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(length(b)), 0,
			uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		n := int(int32(got))
		switch {
		case n >= 0:
			raceWrite(b[:n])
			return n, inetAddr(&sa), 0, nil
		case errno == windows.WSAEMSGSIZE:
			raceWrite(b)
			return length(b), inetAddr(&sa), 0, nil // the rest of it is gone
		case errno == windows.WSAEWOULDBLOCK:
			d.blocked(r, poll.Readable)
			return 0, driver.Addr{}, driver.ReadBlocked, nil
		case !forgiven(errno):
			return 0, driver.Addr{}, driver.BothEnded, portable(errno)
		}
	}
}

func (d *Driver) Send(s driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	r := &d.rows[s]
	var sa syscall.RawSockaddrInet6
	size, errno := encode(r, &sa, to.IP)
	if errno != 0 {
		return 0, 0, errno
	}
	raceRead(b)
	for {
		sent, _, errno := syscall.SyscallN(sendto.Addr(), uintptr(r.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(length(b)), 0,
			uintptr(unsafe.Pointer(&sa)), size)
		switch n := int(int32(sent)); {
		case n >= 0:
			return n, 0, nil
		case errno == windows.WSAEWOULDBLOCK:
			d.blocked(r, poll.Writable)
			return 0, driver.WriteBlocked, nil
		case !earlier(errno):
			return 0, 0, portable(errno)
		}
	}
}
