package reactor_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// nameServer answers the questions of package net's resolver.
type nameServer struct {
	ips    []netip.Addr
	silent chan struct{} // no answer is given before this is closed; nil: all are

	mu    sync.Mutex
	open  int // connections now
	most  int // of them at once
	asked []string
}

// newNameServer has package net's resolver get these addresses for every name, in their
// order if they are of one family, until the test ends.
func newNameServer(t testing.TB, addrs ...string) *nameServer {
	s := &nameServer{}
	for _, a := range addrs {
		s.ips = append(s.ips, netip.MustParseAddr(a))
	}
	old := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = old })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		s.mu.Lock()
		s.open++
		s.most = max(s.most, s.open)
		s.mu.Unlock()
		go s.serve(theirs)
		return ours, nil
	}}
	return s
}

// connections returns how many connections are open, and how many were at once.
func (s *nameServer) connections() (now, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.most
}

// names returns the names that were asked for, in order.
func (s *nameServer) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *nameServer) serve(c net.Conn) {
	s.answer(c)
	c.Close()
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
}

// answer answers the questions of a connection, each behind its length in two bytes.
func (s *nameServer) answer(c net.Conn) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, int(size[0])<<8|int(size[1]))
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		name, end := "", 12
		for ; q[end] != 0; end += int(q[end]) + 1 {
			name += string(q[end+1:end+1+int(q[end])]) + "."
		}
		s.mu.Lock()
		s.asked = append(s.asked, name)
		s.mu.Unlock()
		if s.silent != nil {
			gone := make(chan struct{})
			go func() { io.Copy(io.Discard, c); close(gone) }()
			select {
			case <-s.silent:
			case <-gone:
				return
			}
		}
		end += 5 // the root label, type and class
		a := append([]byte(nil), q[:end]...)
		a[2], a[3] = 0x84, 0 // an authoritative answer
		a[6], a[7], a[8], a[9], a[10], a[11] = 0, 0, 0, 0, 0, 0
		const typeA, typeAAAA = 1, 28
		for _, ip := range s.ips {
			if kind := q[end-3]; kind == typeA && ip.Is4() || kind == typeAAAA && ip.Is6() {
				a[7]++
				a = append(a, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, byte(ip.BitLen()/8))
				a = append(a, ip.AsSlice()...)
			}
		}
		c.Write(append([]byte{byte(len(a) >> 8), byte(len(a))}, a...))
	}
}
