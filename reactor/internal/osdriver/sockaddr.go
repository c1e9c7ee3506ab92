//go:build unix || windows

package osdriver

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/stator-go/stator/reactor/driver"
)

// What the systems' forms of an address have in common.

// zoned is an IPv6 address with its interface, or the IPv4 address that it stands for.
func zoned(b [16]byte, zone uint32) netip.Addr {
	ip := netip.AddrFrom16(b).Unmap()
	if zone != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(zone), 10))
	}
	return ip
}

// zone is the number of the interface that an address names, 0 for none.
func zone(a netip.Addr) uint32 {
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

// is4 tells whether an address belongs to a socket of IPv4.
func is4(ip netip.Addr) bool { return ip.Is4() || ip.Is4In6() }

// everywhere tells whether a means every address there is, IPv4's too.
func everywhere(a driver.Addr, o driver.SocketOptions) bool {
	return a.IP.Addr() == netip.IPv6Unspecified() && !o.V6Only
}

// everywhere4 is a with every address of IPv4.
func everywhere4(a driver.Addr) driver.Addr {
	a.IP = netip.AddrPortFrom(netip.IPv4Unspecified(), a.IP.Port())
	return a
}
