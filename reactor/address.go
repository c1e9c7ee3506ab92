package reactor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/stator-go/stator/reactor/driver"
)

const networks = "tcp, tcp4, tcp6, udp, udp4, udp6, unix, unixgram or unixpacket"

var errName = errors.New("a name to resolve")

// parseAddr parses an address. The error is errName if a resolver is needed.
func parseAddr(network, addr string) (driver.Addr, error) {
	n, err := parseNet(network)
	if err != nil {
		return driver.Addr{}, err
	}
	if n >= driver.Unix {
		if addr == "" {
			return driver.Addr{}, fmt.Errorf("%s address is empty: want a path or @name", network)
		}
		return driver.Addr{Net: n, Path: addr}, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return driver.Addr{}, fmt.Errorf("address %q: want host:port: %w", addr, err)
	}
	num, err := strconv.ParseUint(port, 10, 16)
	if errors.Is(err, strconv.ErrRange) {
		return driver.Addr{}, fmt.Errorf("port %s: want 0 to 65535", port)
	}
	if err != nil {
		return driver.Addr{}, errName // the name of a service
	}
	ip, err := parseHost(network, host)
	if err != nil {
		return driver.Addr{}, err
	}
	return driver.Addr{Net: n, IP: netip.AddrPortFrom(ip, uint16(num))}, nil
}

func parseNet(network string) (driver.Net, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		return driver.TCP, nil
	case "udp", "udp4", "udp6":
		return driver.UDP, nil
	case "unix":
		return driver.Unix, nil
	case "unixgram":
		return driver.Unixgram, nil
	case "unixpacket":
		return driver.UnixPacket, nil
	}
	return driver.NetNone, fmt.Errorf("network %q: want %s", network, networks)
}

func parseHost(network, host string) (netip.Addr, error) {
	if host == "" {
		if strings.HasSuffix(network, "4") {
			return netip.IPv4Unspecified(), nil
		}
		return netip.IPv6Unspecified(), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return ip, errName
	}
	if is6 := ip.Is6() && !ip.Is4In6(); strings.HasSuffix(network, "4") && is6 || strings.HasSuffix(network, "6") && !is6 {
		return ip, fmt.Errorf("address %s is not one of network %s", host, network)
	}
	return ip, nil
}

// localAddr returns a, with the address of this machine in the place of a wildcard: a dial
// to ":80" is one to 127.0.0.1:80, and to [::1]:80 on the networks tcp6 and udp6.
func localAddr(a driver.Addr, network string) driver.Addr {
	if a.Net >= driver.Unix || !a.IP.Addr().IsUnspecified() {
		return a
	}
	ip := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if strings.HasSuffix(network, "6") {
		ip = netip.IPv6Loopback()
	}
	a.IP = netip.AddrPortFrom(ip, a.IP.Port())
	return a
}

// resolve looks a name up with the resolver of package net.
func resolve(ctx context.Context, network, addr string) ([]driver.Addr, error) {
	n, err := parseNet(network)
	if err != nil {
		return nil, err
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	num, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if ip, err := parseHost(network, host); err == nil {
		return []driver.Addr{{Net: n, IP: netip.AddrPortFrom(ip, uint16(num))}}, nil
	}
	family := "ip"
	if strings.HasSuffix(network, "4") || strings.HasSuffix(network, "6") {
		family += network[len(network)-1:]
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	var addrs []driver.Addr
	for _, ip := range ips {
		addrs = append(addrs, driver.Addr{Net: n, IP: netip.AddrPortFrom(ip.Unmap(), uint16(num))})
	}
	return addrs, err
}

// alternateFamilies reorders the addresses of a name: IPv6 and IPv4 in turn, as far as there
// are both, beginning with the family of the first one. The order within a family stays, so
// that a family without a route costs one attempt before the other family is tried. See RFC
// 8305, section 4.
func alternateFamilies(addrs []driver.Addr) []driver.Addr {
	var families [2][]driver.Addr // that of the first address, the other one
	for _, a := range addrs {
		other := 0
		if a.IP.Addr().Is4() != addrs[0].IP.Addr().Is4() {
			other = 1
		}
		families[other] = append(families[other], a)
	}
	sorted := make([]driver.Addr, 0, len(addrs))
	for turn := 0; len(sorted) < len(addrs); turn = 1 - turn {
		if next := families[turn]; len(next) > 0 {
			sorted, families[turn] = append(sorted, next[0]), next[1:]
		}
	}
	return sorted
}

// resolveOne returns the first address of a name, for a socket that is to be bound. It does
// not look a name up on a loop's goroutine, where all machines would have to wait for it.
func resolveOne(at Host, network, addr string) (driver.Addr, error) {
	a, err := parseAddr(network, addr)
	if !errors.Is(err, errName) {
		return a, err
	}
	if err := at.mayWait(); err != nil {
		return a, fmt.Errorf("%s is a name to look up: want an IP address, or a call outside of handlers: %w", addr, err)
	}
	ctx, stop := context.WithTimeout(context.Background(), lookupTimeout)
	defer stop()
	addrs, err := resolve(ctx, network, addr)
	if err == nil && len(addrs) == 0 {
		err = fmt.Errorf("%s has no address", addr)
	}
	if err != nil {
		return driver.Addr{}, err
	}
	return addrs[0], nil
}
