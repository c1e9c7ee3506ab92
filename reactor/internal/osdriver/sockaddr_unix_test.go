//go:build unix

package osdriver

import (
	"net"
	"net/netip"
	"testing"
)

// An address may name its interface by name or number.
func TestZones(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skip("no interfaces: ", err)
	}
	ip := netip.MustParseAddr("fe80::1")
	for name, want := range map[string]uint32{
		all[0].Name: uint32(all[0].Index), "17": 17, "": 0, "no such interface": 0,
	} {
		if got := zoneIndex(ip.WithZone(name)); got != want {
			t.Errorf("zone %q: %d: want %d", name, got, want)
		}
	}
	if got := addrWithZone(ip.As16(), 17); got != ip.WithZone("17") {
		t.Errorf("%v: want zone 17", got)
	}
}
