package planted

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/poll"
)

// memDriver is the driver of a Memory: sockets with unlimited buffers. The number of a
// closed socket is not used again, so that any later use of it is a fault.
type memDriver struct {
	m     *Memory
	now   int64
	rows  []memSock // by Sock, from 1
	woken bool
	over  bool
	moved int
}

type memSock struct {
	peer      *Peer        // if nil, the other end is other, if there is one
	other     reactor.Sock // of a connection within the room
	in, out   []byte
	ended     bool // no more input comes
	reset     bool
	shutOut   bool
	closed    bool
	listening bool
	news      bool // there is an event that Wait has not returned yet
	watched   bool
	data      uint64
	backlog   []reactor.Sock
	local     reactor.Addr
}

var errNoSuch = errors.New("not in a room of memory")

func (d *memDriver) open(s memSock) reactor.Sock {
	d.rows = append(d.rows, s)
	return reactor.Sock(len(d.rows))
}

func (d *memDriver) at(id reactor.Sock) *memSock { return &d.rows[id-1] }

// get returns an open socket. It is a fault to ask for another one.
func (d *memDriver) get(id reactor.Sock, what string) (*memSock, error) {
	if id < 1 || int(id) > len(d.rows) || d.at(id).closed {
		d.m.fail("%s of socket %d after its close", what, id)
		return nil, errno.EBADF
	}
	return d.at(id), nil
}

func (s *memSock) ready() (r poll.Ready) {
	switch {
	case s.listening && len(s.backlog) > 0:
		return poll.Readable
	case s.listening:
		return 0
	case s.reset:
		return poll.Readable | poll.Writable | poll.ReadClosed | poll.WriteClosed | poll.Error
	case s.ended:
		return poll.Readable | poll.Writable | poll.ReadClosed
	case len(s.in) > 0:
		return poll.Readable | poll.Writable
	}
	return poll.Writable
}

func (d *memDriver) Now() int64 { return d.now }
func (d *memDriver) Wake()      { d.woken = true }

func (d *memDriver) busy() bool {
	for i := range d.rows {
		if s := &d.rows[i]; s.watched && s.news && !s.closed {
			return true
		}
	}
	return d.woken
}

func (d *memDriver) Wait(dst []poll.Event, until int64) (n int, err error) {
	d.woken = d.woken && until == 0
	for i := range d.rows {
		s := &d.rows[i]
		if !s.watched || !s.news || s.closed || n == len(dst) {
			continue
		}
		s.news = false
		if r := s.ready(); r != 0 {
			dst[n] = poll.Event{Token: poll.Token(s.data), Ready: r}
			n++
		}
	}
	return n, nil
}

func (d *memDriver) Listen(a reactor.Addr, _ reactor.Opt) (reactor.Sock, error) {
	return d.open(memSock{listening: true, local: a}), nil
}

func (d *memDriver) Bind(reactor.Addr, reactor.Opt) (reactor.Sock, error) { return 0, errNoSuch }

// Connect connects to a listener of the room; other addresses fail.
func (d *memDriver) Connect(a reactor.Addr, _ reactor.Opt) (reactor.Sock, reactor.Flow, error) {
	for i := range d.rows {
		if l := &d.rows[i]; l.listening && !l.closed && l.local.IP.Port() == a.IP.Port() {
			x, y := d.open(memSock{}), d.open(memSock{})
			d.at(x).other, d.at(y).other = y, x
			d.rows[i].backlog, d.rows[i].news = append(d.rows[i].backlog, y), true
			d.at(x).news = true
			return x, reactor.Full, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: %w", reactor.ErrRefused, errno.ECONNREFUSED)
}

func (d *memDriver) Finish(id reactor.Sock) (reactor.Flow, error) {
	_, err := d.get(id, "finish")
	return 0, err
}

func (d *memDriver) Accept(id reactor.Sock) (reactor.Sock, reactor.Flow, error) {
	l, err := d.get(id, "accept")
	if err != nil || len(l.backlog) == 0 {
		return 0, reactor.Drained, err
	}
	s := l.backlog[0]
	l.backlog = l.backlog[1:]
	d.moved++
	return s, 0, nil
}

func (d *memDriver) Register(id reactor.Sock, data uint64) error {
	s, err := d.get(id, "register")
	if err == nil {
		s.watched, s.data, s.news = true, data, true
	}
	return err
}

func (d *memDriver) Read(id reactor.Sock, b []byte) (int, reactor.Flow, error) {
	s, err := d.get(id, "read")
	switch {
	case err != nil:
		return 0, reactor.Gone, err
	case s.reset:
		return 0, reactor.Gone, errno.ECONNRESET
	case len(b) == 0:
		return 0, 0, nil
	}
	n := copy(b, s.in)
	s.in = s.in[n:]
	d.moved += n
	switch {
	case n == 0 && s.ended:
		return 0, reactor.End, nil
	case n < len(b):
		return n, reactor.Drained, nil
	}
	return n, 0, nil
}

func (d *memDriver) Write(id reactor.Sock, b []byte) (int, reactor.Flow, error) {
	s, err := d.get(id, "write")
	switch {
	case err != nil:
		return 0, reactor.Gone, err
	case s.reset:
		return 0, reactor.Gone, errno.ECONNRESET
	case s.shutOut:
		return 0, reactor.Gone, errno.EPIPE
	}
	d.moved += len(b)
	if s.other == 0 {
		s.out = append(s.out, b...)
	} else if o := d.at(s.other); !o.closed {
		o.in, o.news = append(o.in, b...), true
	}
	return len(b), 0, nil
}

func (d *memDriver) Writev(id reactor.Sock, v *reactor.Vec) (total int, flow reactor.Flow, err error) {
	for _, b := range v.B[:v.N] {
		n, flow, err := d.Write(id, b)
		if total += n; err != nil {
			return total, flow, err
		}
	}
	return total, 0, nil
}

func (d *memDriver) Recv(reactor.Sock, []byte) (int, reactor.Addr, reactor.Flow, error) {
	return 0, reactor.Addr{}, 0, errNoSuch
}

func (d *memDriver) Send(reactor.Sock, []byte, reactor.Addr) (int, reactor.Flow, error) {
	return 0, 0, errNoSuch
}

func (d *memDriver) Unsent(reactor.Sock) bool { return false }

func (d *memDriver) Shutdown(id reactor.Sock, how reactor.How) error {
	s, err := d.get(id, "shutdown")
	if err == nil && how&reactor.ShutWrite != 0 && !s.shutOut {
		s.shutOut = true
		d.moved++
		d.endOther(s)
	}
	return err
}

func (d *memDriver) endOther(s *memSock) {
	if s.other != 0 {
		o := d.at(s.other)
		o.ended, o.news = true, true
	}
}

func (d *memDriver) Close(id reactor.Sock) error {
	s, err := d.get(id, "close")
	if err != nil {
		return err
	}
	s.closed = true
	d.moved++
	d.endOther(s)
	for _, c := range s.backlog {
		d.at(c).closed = true
	}
	return nil
}

func (d *memDriver) Name(id reactor.Sock, _ reactor.Side) (reactor.Addr, error) {
	a := d.at(id).local
	if a.Net == reactor.NetNone {
		a = reactor.Addr{Net: reactor.TCP, IP: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(id))}
	}
	return a, nil
}

func (d *memDriver) Traits(id reactor.Sock) reactor.Traits {
	if d.at(id).listening {
		return reactor.Listening
	}
	return 0
}

func (d *memDriver) Adopt(uintptr) (reactor.Sock, error)                     { return 0, errNoSuch }
func (d *memDriver) Release(reactor.Sock) (uintptr, error)                   { return 0, errNoSuch }
func (d *memDriver) Notify(_ reactor.Signals, _ func(reactor.Signals)) error { return nil }

// End records sockets that were left open as a fault.
func (d *memDriver) End() error {
	if d.over {
		d.m.fail("a second End of the driver")
	}
	d.over = true
	for i := range d.rows {
		if s := &d.rows[i]; !s.closed && (s.watched || s.listening) {
			d.m.fail("socket %d is left open", i+1)
		}
	}
	return nil
}
