package sim

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor/driver"
)

var _ driver.Resolver = (*simDriver)(nil)

// LookUp looks up a name in the world's table. The answer comes at once, or when a fault says.
func (d *simDriver) LookUp(network, addr string, done func([]driver.Addr, error)) {
	w := d.w
	w.found.LookUps = true
	addrs, err := w.lookUp(network, addr)
	if how, fails := d.armed.lookUpFate(); fails {
		w.struck(trace.LookUpFails, nil)
		addrs, err = nil, lookUpError(how, addr)
	}
	answer := func() {
		w.moved++
		w.note(noteLookUp, uint64(len(addrs)), 0)
		o := w.observation(LookedUp)
		o.Name, o.Err = addr, err
		w.emit(o)
		done(addrs, err)
	}
	wait, late := d.armed.lookUpWait()
	if !late {
		answer()
		return
	}
	w.struck(trace.LookUpWaits, nil)
	w.later(wait, answer)
}

// lookUp returns the addresses of a name and a port.
func (w *World) lookUp(network, addr string) (all []driver.Addr, err error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, &net.DNSError{Err: "unknown port: want a number", Name: network + "/" + service, IsNotFound: true}
	}
	a := driver.Addr{Net: driver.TCP}
	if strings.HasPrefix(network, "udp") {
		a.Net = driver.UDP
	}
	for _, text := range w.cfg.Names[host] {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(network, "4") && !ip.Is4() || strings.HasSuffix(network, "6") && ip.Is4() {
			continue
		}
		a.IP = netip.AddrPortFrom(ip, uint16(port))
		all = append(all, a)
	}
	if all == nil {
		err = lookUpError(trace.LookUpNotFound, addr)
	}
	return all, err
}

// lookUpError returns the error of a look-up that fails.
func lookUpError(how int, addr string) error {
	host, _, _ := net.SplitHostPort(addr)
	switch how {
	case trace.LookUpTimeout:
		return &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true, IsTemporary: true}
	case trace.LookUpServer:
		return &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	}
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}
