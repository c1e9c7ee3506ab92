package sim

import (
	"net/netip"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor/driver"
)

// DatagramPeer sends and receives datagrams. It has an address and no connection. The
// lower half of the peers have addresses of their own. Each of the upper half gets the
// address of the first datagram that a machine sends to an address without a peer.
type DatagramPeer struct {
	Sent, Got []string

	at driver.Addr
}

const firstDatagramPort = 30_000

// clearDatagramPeers makes the peers of a run new.
func (w *World) clearDatagramPeers() {
	for i := range w.peers {
		p := &w.peers[i]
		*p = DatagramPeer{Sent: p.Sent[:0], Got: p.Got[:0]}
		if i < w.cfg.Conns {
			p.at = driver.Addr{Net: driver.UDP, IP: netip.AddrPortFrom(loopback, uint16(firstDatagramPort+i))}
		}
	}
}

// doDatagram sends a word as a datagram, to one of the sockets that machines have bound.
func (w *World) doDatagram(e trace.Event) {
	if int(e.On) >= len(w.peers) {
		return
	}
	p := &w.peers[e.On]
	to := w.datagramSocket(int(e.B))
	if to == nil || p.at.Net == driver.NetNone || !w.cfg.Roles.Allow(to.local, w.cfg.Dict, e.A) {
		return
	}
	word := w.cfg.Dict.DatagramWord(e.A)
	w.meet(to.local)
	w.observeConn(PeerSends, int(e.On), []byte(word))
	p.Sent = append(p.Sent, word)
	w.deliver(p.at, to, []byte(word))
}

// datagramSocket returns the n-th datagram socket of machines, modulo their number; nil
// if there are none.
func (w *World) datagramSocket(n int) *socket {
	all := 0
	for _, s := range w.sockets[1:] {
		if s.kind == datagram && s.driver != nil {
			all++
		}
	}
	if all == 0 {
		return nil
	}
	n %= all
	for _, s := range w.sockets[1:] {
		if s.kind == datagram && s.driver != nil {
			if n == 0 {
				return s
			}
			n--
		}
	}
	return nil
}

// postToPeer brings a datagram of a machine to the peer at an address.
func (w *World) postToPeer(to driver.Addr, b []byte) {
	for i := range w.peers {
		p := &w.peers[i]
		if i >= w.cfg.Conns && p.at.Net == driver.NetNone {
			p.at = to
		}
		if p.at.Net == to.Net && reaches(to, p.at) {
			p.Got = append(p.Got, string(b))
			w.observeConn(PeerGets, i, b)
			return
		}
	}
}
