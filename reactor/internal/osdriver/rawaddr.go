//go:build windows || (linux && !stator_plain)

package osdriver

import (
	"net/netip"
	"syscall"
	"unsafe"

	"github.com/stator-go/stator/reactor/driver"
)

// Addresses of IPv4 and IPv6 in the system's own form, for calls that are made without
// a package in between.

// swapped turns a port between the network's order of bytes and the machine's.
func swapped(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// encode writes an address in the family of the socket.
func encode(r *row, sa *syscall.RawSockaddrInet6, to netip.AddrPort) (uintptr, syscall.Errno) {
	ip := to.Addr().Unmap()
	switch {
	case r.is&six != 0 && ip.IsValid():
		*sa = syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: swapped(to.Port()), Addr: ip.As16(), Scope_id: zone(ip)}
		return unsafe.Sizeof(*sa), 0
	case r.is&six == 0 && ip.Is4():
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		*in = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: swapped(to.Port()), Addr: ip.As4()}
		return unsafe.Sizeof(*in), 0
	}
	return 0, syscall.EAFNOSUPPORT
}

// inetAddr is the address that the system wrote, none if it is of another family.
func inetAddr(sa *syscall.RawSockaddrInet6) driver.Addr {
	switch sa.Family {
	case syscall.AF_INET:
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		return driver.Addr{Net: driver.UDP, IP: netip.AddrPortFrom(netip.AddrFrom4(in.Addr), swapped(in.Port))}
	case syscall.AF_INET6:
		return driver.Addr{Net: driver.UDP, IP: netip.AddrPortFrom(zoned(sa.Addr, sa.Scope_id), swapped(sa.Port))}
	}
	return driver.Addr{}
}
