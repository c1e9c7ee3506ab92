//go:build unix

package drivertest

import (
	"math"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/stator-go/stator/reactor/poll"
)

// socket opens a socket of a network. It also returns addr for the kernel.
func (m *machine) socket(network, addr string) (fd int, sa unix.Sockaddr, err error) {
	kind := unix.SOCK_STREAM
	if network == "udp" || network == "unixgram" {
		kind = unix.SOCK_DGRAM
	}
	family, sa, err := sockaddr(network, addr)
	if err != nil {
		return -1, nil, err
	}
	fd, err = unix.Socket(family, kind, 0)
	return fd, sa, err
}

func (m *machine) Listen(network, addr string) (File, string, error) {
	f, name, err := m.Bind(network, addr)
	if err == nil {
		err = unix.Listen(m.get(f).fd, 128)
	}
	return f, name, err
}

func (m *machine) Bind(network, addr string) (File, string, error) {
	fd, sa, err := m.socket(network, addr)
	if err != nil {
		return 0, "", err
	}
	f, err := m.add(fd)
	if err != nil {
		return 0, "", err
	}
	if err := unix.Bind(fd, sa); err != nil {
		return 0, "", err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, "", err
	}
	return f, addrOf(name), nil
}

func (m *machine) Dial(network, addr string) (File, error) {
	fd, sa, err := m.socket(network, addr)
	if err != nil {
		return 0, err
	}
	f, err := m.add(fd)
	if err != nil {
		return 0, err
	}
	if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		return 0, err
	}
	return f, nil
}

func (m *machine) Finish(h File) error {
	fd := m.get(h).fd
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err == nil {
		_, err = unix.Getpeername(fd)
	}
	return err
}

func (m *machine) Accept(h File) (File, error) {
	f := m.get(h)
	fd, err := retry(func() (int, error) {
		fd, _, err := unix.Accept(f.fd)
		return fd, err
	})
	if err != nil {
		return 0, m.blocked(h, poll.Readable, err)
	}
	return m.add(fd)
}

func (m *machine) Pair(network string) (a, b File, err error) {
	return Pair(m, network, m.addTwo)
}

func (m *machine) addTwo(fds [2]int) (a, b File, err error) {
	a, err = m.add(fds[0])
	if err != nil {
		return 0, 0, err
	}
	b, err = m.add(fds[1])
	return a, b, err
}

// datagramNetwork returns the network of a datagram address.
func datagramNetwork(addr string) string {
	if _, err := netip.ParseAddrPort(addr); err != nil {
		return "unixgram" // the address is a path
	}
	return "udp"
}

// sockaddr converts an address for the kernel.
func sockaddr(network, addr string) (family int, sa unix.Sockaddr, err error) {
	if network == "unix" || network == "unixgram" {
		if addr[0] == '@' && !abstractNames {
			return 0, nil, lack("abstract name")
		}
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: addr}, nil
	}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return 0, nil, err
	}
	if !ap.Addr().Is4() {
		return 0, nil, lack(network + " address " + addr)
	}
	return unix.AF_INET, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, nil
}

// addrOf converts an address to the format of package net.
func addrOf(sa unix.Sockaddr) string {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port&math.MaxUint16)).String()
	case *unix.SockaddrUnix:
		return sa.Name
	}
	return ""
}
