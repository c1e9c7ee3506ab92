package sim

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
)

// waitingDatagram has arrived at a socket and was not received yet.
type waitingDatagram struct {
	from driver.Addr
	b    []byte
}

// mostWaiting is how many datagrams wait for a socket; more are lost.
const mostWaiting = 256

func (d *simDriver) Recv(id driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	s := d.get(id, "receive")
	if s == nil {
		return 0, driver.Addr{}, driver.BothEnded, errno.EBADF
	}
	if countDown(&s.armed.readBlocks) {
		d.w.struck(trace.BlockRead, s)
		d.w.moved++
		s.notify()
		return 0, driver.Addr{}, driver.ReadBlocked, nil
	}
	if len(s.datagrams) == 0 {
		return 0, driver.Addr{}, driver.ReadBlocked, nil
	}
	g := s.datagrams[0]
	s.datagrams = s.datagrams[:copy(s.datagrams, s.datagrams[1:])]
	d.w.freeDatagrams = append(d.w.freeDatagrams, g.b)
	d.w.moved++
	n := copy(b, g.b)
	d.w.noteBytes(noteRead, s, b[:n])
	d.heard(s)
	return n, g.from, 0, nil
}

func (d *simDriver) Send(id driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	s := d.get(id, "send")
	switch {
	case s == nil:
		return 0, driver.BothEnded, errno.EBADF
	case s.kind != datagram:
		d.w.misuse("a datagram sent by a socket that has none")
		return 0, 0, errno.ENOTSUP
	case countDown(&s.armed.writeBlocks):
		d.w.struck(trace.BlockWrite, s)
		d.w.moved++
		s.notify()
		return 0, driver.WriteBlocked, nil
	}
	d.machineWrites(s, b)
	d.w.noteAddr(to)
	if to.Net == driver.NetNone {
		return 0, 0, errno.EDESTADDRREQ
	}
	from := s.local
	from.IP = reachable(from.IP)
	fate, ok := d.armed.datagramFate()
	if ok {
		d.w.met(trace.DatagramFails, s)
	}
	if ok && fate == trace.DatagramLost {
		return len(b), 0, nil
	}
	d.w.post(from, to, b)
	if ok && fate == trace.DatagramDoubled {
		d.w.post(from, to, b)
	}
	return len(b), 0, nil
}

// post brings a datagram of a machine to the socket, or the peer, at an address.
func (w *World) post(from, to driver.Addr, b []byte) {
	if s := w.bound(to, datagram); s != nil {
		w.enqueue(from, s, b)
	} else {
		w.postToPeer(to, b)
	}
}

// deliver brings a datagram of a peer to a socket of a machine, or does to it what a
// fault says.
func (w *World) deliver(from driver.Addr, s *socket, b []byte) {
	fate, ok := s.driver.armed.datagramFate()
	if ok {
		w.met(trace.DatagramFails, s)
	}
	switch {
	case ok && fate == trace.DatagramLost:
	case ok && fate == trace.DatagramDoubled:
		w.enqueue(from, s, b)
		w.enqueue(from, s, b)
	case ok && fate == trace.DatagramOvertakes:
		if n := len(s.datagrams); w.enqueue(from, s, b) && n > 0 {
			last := s.datagrams[n]
			copy(s.datagrams[1:], s.datagrams[:n])
			s.datagrams[0] = last
		}
	default:
		w.enqueue(from, s, b)
	}
}

// enqueue puts a datagram into a socket, and reports whether it did. A socket that has no
// room, or is connected to another address, does not take it.
func (w *World) enqueue(from driver.Addr, s *socket, b []byte) bool {
	if len(s.datagrams) == mostWaiting || s.remote.Net != driver.NetNone && !reaches(s.remote, from) {
		return false
	}
	var copied []byte
	if k := len(w.freeDatagrams); k > 0 {
		copied, w.freeDatagrams = w.freeDatagrams[k-1], w.freeDatagrams[:k-1]
	}
	s.datagrams = append(s.datagrams, waitingDatagram{from, append(copied[:0], b...)})
	w.moved++
	s.notify()
	return true
}
