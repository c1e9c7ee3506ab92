package judge

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/stator-go/stator/reactor/driver"
)

// Address is an address of peers or machines: host:port, where an empty host is any, or the
// path of a Unix socket.
type Address struct {
	path string
	host netip.Addr // the zero Addr is any
	port uint16
}

// ParseAddress reads an address. It panics if there is a host that is not an IP address, as
// simulated machines dial no names.
func ParseAddress(text string) Address {
	host, port, err := net.SplitHostPort(text)
	number, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil {
		return Address{path: text}
	}
	a := Address{port: uint16(number)}
	if host != "" {
		if a.host, err = netip.ParseAddr(host); err != nil {
			panic(fmt.Sprintf("fuzz: address %q: want an IP address, or none for any", text))
		}
	}
	return a
}

// Is reports whether connections to addr are connections to a. A listener at any host is at
// loopback.
func (a Address) Is(addr driver.Addr) bool {
	if addr.Net >= driver.Unix {
		return a.path == addr.Path
	}
	return a.path == "" && a.port == addr.IP.Port() && (!a.host.IsValid() || a.host.IsUnspecified() || a.host.IsLoopback() && addr.IP.Addr().IsUnspecified() || a.host == addr.IP.Addr())
}

// Idle returns the names of the oracles that are for certain addresses, and for which there was
// no connection in any run that n is of.
func (c *Config) Idle(n *Notes) (names []string) {
	for i, o := range c.Oracles {
		switch o.(type) {
		case placed, relay:
			if i >= len(n.judged) || !n.judged[i] {
				names = append(names, "a connection for "+oracleName(o))
			}
		}
	}
	return names
}

// At returns the oracle for the connections to one address alone.
func At(o Oracle, addr string) Oracle { return placed{o, ParseAddress(addr)} }

type placed struct {
	Oracle
	at Address
}

func (p placed) Judges(addr driver.Addr, _ bool) bool { return p.at.Is(addr) }
