//go:build unix || windows

package osdriver

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/stator-go/stator/reactor/driver"
)

// What the addresses of all systems have in common: zones, and the wildcard.

// addrWithZone returns an IPv6 address with the index of its interface, or the IPv4
// address that it stands for.
func addrWithZone(b [16]byte, zoneIndex uint32) netip.Addr {
	ip := netip.AddrFrom16(b).Unmap()
	if zoneIndex != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(zoneIndex), 10))
	}
	return ip
}

// zoneIndex returns the index of the interface that an address names by number or by
// name, or 0.
func zoneIndex(a netip.Addr) uint32 {
	name := a.Zone()
	if name == "" {
		return 0
	}
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(name); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// isIPv4 reports whether an address needs a socket of IPv4.
func isIPv4(ip netip.Addr) bool { return ip.Is4() || ip.Is4In6() }

// isWildcard reports whether to bind to a means all addresses, those of IPv4 too.
func isWildcard(a driver.Addr, o driver.SocketOptions) bool {
	return a.IP.Addr() == netip.IPv6Unspecified() && !o.V6Only
}

// wildcard4 returns the wildcard address of IPv4 with the port of a.
func wildcard4(a driver.Addr) driver.Addr {
	a.IP = netip.AddrPortFrom(netip.IPv4Unspecified(), a.IP.Port())
	return a
}
