//go:build windows || (linux && !stator_plain)

package osdriver

import (
	"net/netip"
	"syscall"
	"unsafe"

	"github.com/stator-go/stator/reactor/driver"
)

// Addresses of IPv4 and IPv6 as the kernel reads and writes them, for raw calls.

// swapPort converts a port between the byte orders of the network and the machine.
func swapPort(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// encodeInetAddr stores an address in sa, in the family of the socket, and returns its
// length.
func encodeInetAddr(e *socketEntry, sa *syscall.RawSockaddrInet6, to netip.AddrPort) (uintptr, syscall.Errno) {
	ip := to.Addr().Unmap()
	switch {
	case e.flags&ipv6 != 0 && ip.IsValid():
		*sa = syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: swapPort(to.Port()), Addr: ip.As16(), Scope_id: zoneIndex(ip)}
		return unsafe.Sizeof(*sa), 0
	case e.flags&ipv6 == 0 && ip.Is4():
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		*in = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: swapPort(to.Port()), Addr: ip.As4()}
		return unsafe.Sizeof(*in), 0
	}
	return 0, syscall.EAFNOSUPPORT
}

// decodeInetAddr returns the address in sa, as one of UDP, or the zero Addr if it is of
// another family.
func decodeInetAddr(sa *syscall.RawSockaddrInet6) driver.Addr {
	switch sa.Family {
	case syscall.AF_INET:
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		return driver.Addr{Net: driver.UDP, IP: netip.AddrPortFrom(netip.AddrFrom4(in.Addr), swapPort(in.Port))}
	case syscall.AF_INET6:
		return driver.Addr{Net: driver.UDP, IP: netip.AddrPortFrom(addrWithZone(sa.Addr, sa.Scope_id), swapPort(sa.Port))}
	}
	return driver.Addr{}
}
