package fuzz

import (
	"fmt"
	"net/netip"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Peers of datagram sockets: each has an address and no connection. The lower half
// of their numbers are at addresses of their own; in the upper half are those to
// which machines have written first.

// penPal is a peer that sends and receives datagrams.
type penPal struct {
	at        reactor.Addr
	sent, got []string
}

const firstPenPort = 30_000

// clearPens makes the peers of a run new.
func (w *World) clearPens() {
	for i := range w.pens {
		p := &w.pens[i]
		*p = penPal{sent: p.sent[:0], got: p.got[:0]}
		if i < w.spec.Conns {
			p.at = reactor.Addr{Net: reactor.UDP, IP: netip.AddrPortFrom(loopback, uint16(firstPenPort+i))}
		}
	}
}

// doDatagram sends a word as a datagram, to one of the sockets that machines have bound.
func (w *World) doDatagram(e trace.Event) {
	if int(e.On) >= len(w.pens) {
		return
	}
	p := &w.pens[e.On]
	to := w.boundSock(int(e.B))
	if to == nil || p.at.Net == reactor.NetNone {
		return
	}
	word := trace.Dictionary(w.spec.Dict).DatagramWord(e.A)
	w.say(-1, fmt.Sprintf("datagram peer %d sends %s", e.On, brief([]byte(word))))
	p.sent = append(p.sent, word)
	w.deliver(p.at, to, []byte(word))
}

// boundSock is the n-th datagram socket of machines.
func (w *World) boundSock(n int) *sock {
	all := 0
	for _, s := range w.socks[1:] {
		if s.nature == datagram && s.driver != nil {
			all++
		}
	}
	if all == 0 {
		return nil
	}
	n %= all
	for _, s := range w.socks[1:] {
		if s.nature == datagram && s.driver != nil {
			if n == 0 {
				return s
			}
			n--
		}
	}
	return nil
}

// hand gives a datagram of a machine's to the peer at an address.
func (w *World) hand(to reactor.Addr, b []byte) {
	for i := range w.pens {
		p := &w.pens[i]
		if i >= w.spec.Conns && p.at.Net == reactor.NetNone {
			p.at = to // nobody had this address
		}
		if p.at.Net == to.Net && meets(p.at, to) {
			p.got = append(p.got, string(b))
			w.say(-1, fmt.Sprintf("datagram peer %d gets %s", i, brief(b)))
			return
		}
	}
}

// judgePens judges what datagram peers got.
func (w *World) judgePens() {
	for i := range w.pens {
		p := &w.pens[i]
		for o := range w.oracles() {
			if text := o.pen(p.sent, p.got); text != "" && w.failure == nil {
				w.fail(oracle("M "+o.title()), "datagram peer %d: %s", i, text)
				w.failure.kind = "datagrams"
			}
		}
	}
}

// Datagrams judges what each datagram peer of a run sent and got, in order; an empty
// answer is right. Datagrams may be lost, come twice, or overtake others.
func Datagrams(name string, judge func(sent, got []string) string) Oracle {
	return datagrams{noOracle{name}, judge}
}

type datagrams struct {
	noOracle
	judge func(sent, got []string) string
}

func (d datagrams) pen(sent, got []string) string { return d.judge(sent, got) }

// fate is what becomes of the next datagram of, or to, a machine of a loop.
func (a *armedDriver) fate() (how int, befalls bool) {
	if a.mails == 0 {
		return 0, false
	}
	a.mails--
	return a.mail, true
}

func (d *driver) doDatagramFails(e trace.Event) {
	d.armed.mail, d.armed.mails = int(e.A)%trace.NumDatagramFates, trace.Times(e.B)
}

// deliver brings a datagram to a socket of a machine's, or does to it what a fault says.
func (w *World) deliver(from reactor.Addr, s *sock, b []byte) {
	how, befalls := s.driver.armed.fate()
	if befalls {
		w.happens(trace.DatagramFails, s)
	}
	switch {
	case befalls && how == trace.DatagramLost:
	case befalls && how == trace.DatagramDoubled:
		w.enqueue(from, s, b)
		w.enqueue(from, s, b)
	case befalls && how == trace.DatagramOvertakes:
		if n := len(s.mail); w.enqueue(from, s, b) && n > 0 {
			last := s.mail[n]
			copy(s.mail[1:], s.mail[:n])
			s.mail[0] = last
		}
	default:
		w.enqueue(from, s, b)
	}
}
