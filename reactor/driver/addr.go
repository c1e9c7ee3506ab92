package driver

import "net/netip"

// Net is the kind of network that an Addr belongs to. Those from Unix on have paths.
type Net uint8

const (
	NetNone    Net = iota
	TCP            // IPv4 or IPv6
	UDP            // IPv4 or IPv6
	Unix           // stream
	Unixgram       // datagram
	UnixPacket     // sequenced packets
)

// Addr is an address as a value. Of TCP and UDP it has an IP address and port; the
// zone of an IPv6 address is the name or the number of an interface. Of the other
// networks it has the path of a unix socket: a path that begins with "@" is a name in
// Linux's abstract namespace, and an empty one is no name. The zero Addr is no address.
type Addr struct {
	Net  Net
	IP   netip.AddrPort
	Path string
}

// String returns the address in the form that Listen and Dial of package reactor take.
func (a Addr) String() string {
	if a.Net >= Unix {
		return a.Path
	}
	return a.IP.String()
}
