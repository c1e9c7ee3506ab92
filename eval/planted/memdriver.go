package planted

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/stator-go/stator/internal/errno"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/sig"
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
	peer      *Peer       // if nil, the other end is other, if there is one
	other     driver.Sock // of a connection within the room
	in, out   []byte
	ended     bool // no more input comes
	reset     bool
	shutOut   bool
	closed    bool
	listening bool
	news      bool // there is an event that Wait has not returned yet
	watched   bool
	data      driver.EventData
	backlog   []driver.Sock
	local     driver.Addr
}

var errNoSuch = errors.New("not in a room of memory")

func (d *memDriver) open(s memSock) driver.Sock {
	d.rows = append(d.rows, s)
	return driver.Sock(len(d.rows))
}

func (d *memDriver) at(id driver.Sock) *memSock { return &d.rows[id-1] }

// get returns an open socket. It is a fault to ask for another one.
func (d *memDriver) get(id driver.Sock, what string) (*memSock, error) {
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

func (d *memDriver) Listen(a driver.Addr, _ driver.SocketOptions) (driver.Sock, error) {
	return d.open(memSock{listening: true, local: a}), nil
}

func (d *memDriver) Bind(driver.Addr, driver.SocketOptions) (driver.Sock, error) { return 0, errNoSuch }

// Connect connects to a listener of the room; other addresses fail.
func (d *memDriver) Connect(a driver.Addr, _ driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	for i := range d.rows {
		if l := &d.rows[i]; l.listening && !l.closed && l.local.IP.Port() == a.IP.Port() {
			x, y := d.open(memSock{}), d.open(memSock{})
			d.at(x).other, d.at(y).other = y, x
			d.rows[i].backlog, d.rows[i].news = append(d.rows[i].backlog, y), true
			d.at(x).news = true
			return x, driver.WriteBlocked, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: %w", reactor.ErrRefused, errno.ECONNREFUSED)
}

func (d *memDriver) FinishConnect(id driver.Sock) (driver.Flow, error) {
	_, err := d.get(id, "finish")
	return 0, err
}

func (d *memDriver) Accept(id driver.Sock) (driver.Sock, driver.Flow, error) {
	l, err := d.get(id, "accept")
	if err != nil || len(l.backlog) == 0 {
		return 0, driver.ReadBlocked, err
	}
	s := l.backlog[0]
	l.backlog = l.backlog[1:]
	d.moved++
	return s, 0, nil
}

func (d *memDriver) Register(id driver.Sock, data driver.EventData) error {
	s, err := d.get(id, "register")
	if err == nil {
		s.watched, s.data, s.news = true, data, true
	}
	return err
}

func (d *memDriver) Read(id driver.Sock, b []byte) (int, driver.Flow, error) {
	s, err := d.get(id, "read")
	switch {
	case err != nil:
		return 0, driver.BothEnded, err
	case s.reset:
		return 0, driver.BothEnded, errno.ECONNRESET
	case len(b) == 0:
		return 0, 0, nil
	}
	n := copy(b, s.in)
	s.in = s.in[n:]
	d.moved += n
	switch {
	case n == 0 && s.ended:
		return 0, driver.ReadEnded, nil
	case n < len(b):
		return n, driver.ReadBlocked, nil
	}
	return n, 0, nil
}

func (d *memDriver) Write(id driver.Sock, b []byte) (int, driver.Flow, error) {
	s, err := d.get(id, "write")
	switch {
	case err != nil:
		return 0, driver.BothEnded, err
	case s.reset:
		return 0, driver.BothEnded, errno.ECONNRESET
	case s.shutOut:
		return 0, driver.BothEnded, errno.EPIPE
	}
	d.moved += len(b)
	if s.other == 0 {
		s.out = append(s.out, b...)
	} else if o := d.at(s.other); !o.closed {
		o.in, o.news = append(o.in, b...), true
	}
	return len(b), 0, nil
}

func (d *memDriver) Writev(id driver.Sock, v *driver.Vec) (total int, flow driver.Flow, err error) {
	for _, b := range v.B[:v.N] {
		n, flow, err := d.Write(id, b)
		if total += n; err != nil {
			return total, flow, err
		}
	}
	return total, 0, nil
}

func (d *memDriver) Recv(driver.Sock, []byte) (int, driver.Addr, driver.Flow, error) {
	return 0, driver.Addr{}, 0, errNoSuch
}

func (d *memDriver) Send(driver.Sock, []byte, driver.Addr) (int, driver.Flow, error) {
	return 0, 0, errNoSuch
}

func (d *memDriver) Unacked(driver.Sock) bool { return false }

func (d *memDriver) Shutdown(id driver.Sock, how driver.How) error {
	s, err := d.get(id, "shutdown")
	if err == nil && how&driver.ShutWrite != 0 && !s.shutOut {
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

func (d *memDriver) Close(id driver.Sock) error {
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

func (d *memDriver) Addr(id driver.Sock, _ driver.Side) (driver.Addr, error) {
	a := d.at(id).local
	if a.Net == driver.NetNone {
		a = driver.Addr{Net: driver.TCP, IP: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(id))}
	}
	return a, nil
}

func (d *memDriver) Traits(id driver.Sock) driver.Traits {
	if d.at(id).listening {
		return driver.Listening
	}
	return 0
}

func (d *memDriver) Adopt(uintptr) (driver.Sock, error)      { return 0, errNoSuch }
func (d *memDriver) Release(driver.Sock) (uintptr, error)    { return 0, errNoSuch }
func (d *memDriver) Notify(_ sig.Set, _ func(sig.Set)) error { return nil }

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
