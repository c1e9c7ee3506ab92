package fakedriver

import (
	"errors"
	"math"
	"syscall"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// Socket is a stream whose peer is the test. The loop reads and writes the exported
// fields: change them in Driver.Update, Driver.Do, or before the loop has the socket.
type Socket struct {
	In   [][]byte // input that was not read, one piece for each read
	EOF  bool     // the input ends behind In
	Err  error    // of writes, of reads behind In, and of a connection that is under way
	Room int      // how many bytes writes still take: at first, any number

	Calls  int           // of Write and Writev so far
	Traits driver.Traits // what kind of socket it is: at first, a stream
	d      *Driver
	id     driver.Sock
	data   driver.EventData
	out    []byte
	closed bool
	reset  bool // closed by Reset
}

// NewSocket returns an open socket that no machine has yet: see Socket.Conn.
func (d *Driver) NewSocket() *Socket {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.newSocket()
}

func (d *Driver) newSocket() *Socket {
	s := &Socket{d: d, id: driver.Sock(len(d.sockets) + 1), Room: math.MaxInt}
	d.sockets = append(d.sockets, s)
	return s
}

// Event reports readiness to the loop. Call it in Driver.Update or Driver.Do only.
func (s *Socket) Event(r poll.Ready) {
	s.d.events = append(s.d.events, poll.Event{Token: poll.Token(s.data), Ready: r})
}

// PeerSends makes input arrive, one piece for each read, and settles.
func (s *Socket) PeerSends(pieces ...string) {
	s.d.t.Helper()
	s.d.Do(func() {
		for _, p := range pieces {
			s.In = append(s.In, []byte(p))
		}
		s.Event(poll.Readable)
	})
}

// PeerTakes makes room for n more bytes of output, and settles.
func (s *Socket) PeerTakes(n int) {
	s.d.t.Helper()
	s.d.Do(func() {
		s.Room += n
		s.Event(poll.Writable)
	})
}

// PeerHangsUp ends the input, and settles.
func (s *Socket) PeerHangsUp() {
	s.d.t.Helper()
	s.d.Do(func() {
		s.EOF = true
		s.Event(poll.Readable | poll.ReadClosed)
	})
}

// Written settles, and returns what the machine wrote since the last Written.
func (s *Socket) Written() string {
	s.d.Settle()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	b := string(s.out)
	s.out = nil
	return b
}

// Unread returns how many pieces of input were not read.
func (s *Socket) Unread() int {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return len(s.In)
}

// Closed settles, and reports whether the loop has closed the socket.
func (s *Socket) Closed() bool {
	s.d.Settle()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.closed
}

// Reset settles, and reports whether the loop has closed the socket so that the peer finds
// a reset.
func (s *Socket) Reset() bool {
	s.d.Settle()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return s.reset
}

// Conn returns the socket as something that a machine can adopt.
func (s *Socket) Conn() Conn { return Conn{s} }

// Conn is a Socket in the place of a connection: a reactor.Descriptor.
type Conn struct{ s *Socket }

func (c Conn) Close() error                          { return nil }
func (c Conn) SyscallConn() (syscall.RawConn, error) { return c, nil }
func (c Conn) Control(f func(uintptr)) error         { f(uintptr(c.s.id)); return nil }
func (c Conn) Read(func(uintptr) bool) error         { return errors.ErrUnsupported }
func (c Conn) Write(func(uintptr) bool) error        { return errors.ErrUnsupported }

// with calls f with an open socket. Any other is an error of the test's.
func (d *Driver) with(id driver.Sock, f func(*Socket) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id < 1 || int(id) > len(d.sockets) || d.sockets[id-1].closed {
		d.t.Errorf("got a call for socket %d, which is not open", id)
		return errors.ErrUnsupported
	}
	return f(d.sockets[id-1])
}

func (s *Socket) close() error {
	s.closed = true
	s.d.closed++
	return nil
}

func (d *Driver) Adopt(id uintptr) (driver.Sock, error)  { return driver.Sock(id), nil }
func (d *Driver) Release(s driver.Sock) (uintptr, error) { return uintptr(s), d.Close(s) }
func (d *Driver) Unacked(driver.Sock) bool               { return false }
func (d *Driver) Close(s driver.Sock) error              { return d.with(s, (*Socket).close) }

func (d *Driver) Traits(id driver.Sock) (t driver.Traits) {
	d.with(id, func(s *Socket) error { t = s.Traits; return nil })
	return t
}

func (d *Driver) Reset(s driver.Sock) error {
	return d.with(s, func(s *Socket) error { s.reset = true; return s.close() })
}

func (d *Driver) Shutdown(s driver.Sock, _ driver.How) error {
	return d.with(s, func(*Socket) error { return nil })
}

func (d *Driver) Register(s driver.Sock, data driver.EventData) error {
	return d.with(s, func(s *Socket) error { s.data = data; return nil })
}

func (d *Driver) Connect(to driver.Addr, _ driver.SocketOptions) (driver.Sock, driver.Flow, error) {
	d.mu.Lock()
	s, onConnect := d.newSocket(), d.OnConnect
	d.mu.Unlock()
	if onConnect == nil {
		return s.id, 0, nil
	}
	flow, err := onConnect(s, to) // without the lock: it may call methods of d
	if err != nil {
		d.Close(s.id)
		return 0, 0, err
	}
	return s.id, flow, nil
}

func (d *Driver) FinishConnect(id driver.Sock) (driver.Flow, error) {
	return 0, d.with(id, func(s *Socket) error { return s.Err })
}

func (d *Driver) Read(id driver.Sock, b []byte) (n int, flow driver.Flow, err error) {
	err = d.with(id, func(s *Socket) error {
		switch {
		case len(s.In) > 0:
			if n = copy(b, s.In[0]); n == len(s.In[0]) {
				s.In = s.In[1:]
			} else {
				s.In[0] = s.In[0][n:]
			}
		case s.Err != nil:
			flow = driver.BothEnded
			return s.Err
		case s.EOF:
			flow = driver.ReadEnded
		default:
			flow = driver.ReadBlocked
		}
		return nil
	})
	return n, flow, err
}

func (d *Driver) Write(id driver.Sock, b []byte) (n int, flow driver.Flow, err error) {
	v := driver.Vec{N: 1}
	v.B[0] = b
	return d.Writev(id, &v)
}

func (d *Driver) Writev(id driver.Sock, v *driver.Vec) (n int, flow driver.Flow, err error) {
	err = d.with(id, func(s *Socket) error {
		if s.Calls++; s.Err != nil {
			flow = driver.BothEnded
			return s.Err
		}
		for _, b := range v.B[:v.N] {
			took := min(len(b), s.Room)
			s.out = append(s.out, b[:took]...)
			s.Room -= took
			if n += took; took < len(b) {
				flow = driver.WriteBlocked
				break
			}
		}
		return nil
	})
	return n, flow, err
}

// A fake has no listeners, no datagrams and no addresses.

func (d *Driver) Bind(driver.Addr, driver.SocketOptions) (driver.Sock, error) {
	return 0, errors.ErrUnsupported
}

func (d *Driver) Listen(driver.Addr, driver.SocketOptions) (driver.Sock, error) {
	return 0, errors.ErrUnsupported
}

func (d *Driver) Accept(driver.Sock) (driver.Sock, driver.Flow, error) {
	return 0, 0, errors.ErrUnsupported
}

// Recv reads one piece of input as a datagram. A part that does not fit into b is the next
// datagram, so that a test sees it.
func (d *Driver) Recv(id driver.Sock, b []byte) (int, driver.Addr, driver.Flow, error) {
	n, flow, err := d.Read(id, b)
	return n, driver.Addr{}, flow, err
}

func (d *Driver) Send(driver.Sock, []byte, driver.Addr) (int, driver.Flow, error) {
	return 0, 0, errors.ErrUnsupported
}

func (d *Driver) Addr(driver.Sock, driver.Side) (driver.Addr, error) {
	return driver.Addr{}, errors.ErrUnsupported
}
