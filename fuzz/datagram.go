package fuzz

import (
	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor/driver"
)

// mail is a datagram that was not received yet.
type mail struct {
	from driver.Addr
	b    []byte
}

// mailbox is how many datagrams wait for a socket; more are lost.
const mailbox = 256

func (d *simDriver) Recv(id driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	s := d.get(id, "receive")
	if s == nil {
		return 0, driver.Addr{}, driver.BothEnded, errno.EBADF
	}
	if s.armed.blocksRead() {
		d.w.strikes(opBlockRead, s)
		d.w.moved++
		s.tell()
		return 0, driver.Addr{}, driver.ReadBlocked, nil
	}
	if len(s.mail) == 0 {
		return 0, driver.Addr{}, driver.ReadBlocked, nil
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

func (d *simDriver) Send(id driver.Sock, b []byte, to driver.Addr) (int, driver.Flow, error) {
	s := d.get(id, "send")
	switch {
	case s == nil:
		return 0, driver.BothEnded, errno.EBADF
	case s.armed.blocksWrite():
		d.w.strikes(opBlockWrite, s)
		d.w.moved++
		s.tell()
		return 0, driver.WriteBlocked, nil
	}
	d.w.noteBytes(noteWrite, s, b)
	d.w.noteAddr(to)
	if to.Net == driver.NetNone {
		return 0, 0, errno.EDESTADDRREQ
	}
	from := s.local
	from.IP = reachable(from.IP)
	how, befalls := d.armed.fate()
	if befalls {
		d.w.happens(opMailFails, s)
	}
	if befalls && how == mailLost {
		return len(b), 0, nil
	}
	d.w.post(from, to, b)
	if befalls && how == mailTwice {
		d.w.post(from, to, b)
	}
	return len(b), 0, nil
}

// post brings a datagram of a machine's to whoever is where it goes.
func (w *World) post(from, to driver.Addr, b []byte) {
	if s := w.bound(to, datagram); s != nil {
		w.enqueue(from, s, b)
	} else {
		w.hand(to, b)
	}
}

// enqueue puts a datagram into a socket, which may have no room for it, or be
// connected to another one; then it is lost.
func (w *World) enqueue(from driver.Addr, s *sock, b []byte) bool {
	if len(s.mail) == mailbox || s.remote.Net != driver.NetNone && !meets(from, s.remote) {
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
