package reactor_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
)

// nameServer has the resolver of package net answer every question with these addresses, in
// some order, until the test ends. Without addresses it never answers.
func nameServer(t testing.TB, addrs ...string) {
	var ips []netip.Addr
	for _, a := range addrs {
		ips = append(ips, netip.MustParseAddr(a))
	}
	old := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = old })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerNames(theirs, ips)
		return ours, nil
	}}
}

// answerNames is a name server over a stream.
func answerNames(c net.Conn, ips []netip.Addr) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, int(size[0])<<8|int(size[1]))
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		if len(ips) == 0 {
			io.Copy(io.Discard, c)
			return
		}
		end := 12
		for q[end] != 0 {
			end += int(q[end]) + 1
		}
		end += 5 // the root label, type and class
		a := append([]byte(nil), q[:end]...)
		a[2], a[3] = 0x84, 0 // an authoritative answer
		a[6], a[7], a[8], a[9], a[10], a[11] = 0, 0, 0, 0, 0, 0
		const typeA, typeAAAA = 1, 28
		for _, ip := range ips {
			if kind := q[end-3]; kind == typeA && ip.Is4() || kind == typeAAAA && ip.Is6() {
				a[7]++
				a = append(a, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, byte(ip.BitLen()/8))
				a = append(a, ip.AsSlice()...)
			}
		}
		c.Write(append([]byte{byte(len(a) >> 8), byte(len(a))}, a...))
	}
}
