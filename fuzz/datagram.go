package fuzz

import (
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
)

// mail is a datagram that was not received yet.
type mail struct {
	from reactor.Addr
	b    []byte
}

// mailbox is how many datagrams wait for a socket; more are lost.
const mailbox = 256

func (d *driver) Recv(id reactor.Sock, b []byte) (int, reactor.Addr, reactor.Flow, error) {
	s := d.get(id, "receive")
	if s == nil {
		return 0, reactor.Addr{}, reactor.Gone, errno.EBADF
	}
	if s.armed.blocksRead() {
		d.w.strikes(trace.BlockRead, s)
		d.w.moved++
		s.tell()
		return 0, reactor.Addr{}, reactor.Drained, nil
	}
	if len(s.mail) == 0 {
		return 0, reactor.Addr{}, reactor.Drained, nil
	}
	m := s.mail[0]
	s.mail = s.mail[:copy(s.mail, s.mail[1:])]
	d.w.letters = append(d.w.letters, m.b)
	d.w.moved++
	n := copy(b, m.b)
	d.w.noteBytes(noteRead, s, b[:n])
	d.hears(s)
	return n, m.from, 0, nil
}

func (d *driver) Send(id reactor.Sock, b []byte, to reactor.Addr) (int, reactor.Flow, error) {
	s := d.get(id, "send")
	switch {
	case s == nil:
		return 0, reactor.Gone, errno.EBADF
	case s.armed.blocksWrite():
		d.w.strikes(trace.BlockWrite, s)
		d.w.moved++
		s.tell()
		return 0, reactor.Full, nil
	}
	d.w.noteBytes(noteWrite, s, b)
	d.w.noteAddr(to)
	if to.Net == reactor.NetNone {
		return 0, 0, errno.EDESTADDRREQ
	}
	from := s.local
	from.IP = reachable(from.IP)
	how, befalls := d.armed.fate()
	if befalls {
		d.w.happens(trace.DatagramFails, s)
	}
	if befalls && how == trace.DatagramLost {
		return len(b), 0, nil
	}
	d.w.post(from, to, b)
	if befalls && how == trace.DatagramDoubled {
		d.w.post(from, to, b)
	}
	return len(b), 0, nil
}

// post brings a datagram of a machine's to whoever is where it goes.
func (w *World) post(from, to reactor.Addr, b []byte) {
	if s := w.bound(to, datagram); s != nil {
		w.enqueue(from, s, b)
	} else {
		w.hand(to, b)
	}
}

// enqueue puts a datagram into a socket, which may have no room for it, or be
// connected to another one; then it is lost.
func (w *World) enqueue(from reactor.Addr, s *sock, b []byte) bool {
	if len(s.mail) == mailbox || s.remote.Net != reactor.NetNone && !meets(from, s.remote) {
		return false
	}
	var copied []byte
	if k := len(w.letters); k > 0 {
		copied, w.letters = w.letters[k-1], w.letters[:k-1]
	}
	s.mail = append(s.mail, mail{from, append(copied[:0], b...)})
	w.moved++
	s.tell()
	return true
}
