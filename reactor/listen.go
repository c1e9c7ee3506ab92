package reactor

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// pauseFor is how long accepting rests when descriptors run out, unless one is
// closed before.
const pauseFor = 50 * time.Millisecond

// listener is a row of Loop.listeners.
type listener struct {
	sock   driver.Sock
	gen    uint32
	ready  bool // connections may wait
	paused bool // no slot or no descriptor for them
	store  *base
	accept func(driver.Sock) error // makes a machine, its port 0
}

// Listener is a bound socket. Addr is where it listens, the port that the system
// chose included.
type Listener struct {
	Addr netip.AddrPort // of TCP and UDP
	Path string         // of unix sockets

	loop *Loop
	row  int
	gen  uint32
}

// String is the address as Dial takes it.
func (n *Listener) String() string {
	if n.Path != "" {
		return n.Path
	}
	return n.Addr.String()
}

// Close accepts no more; connections that were accepted live on.
func (n *Listener) Close(at Place) error {
	if n.row < 0 {
		return fmt.Errorf("reactor: close %s: the socket is its machine's: stop that: %w", n, ErrUnsupported)
	}
	return at.place(func(l *Loop) error {
		if l != n.loop || n.row < 0 || l.listeners[n.row].gen != n.gen || l.listeners[n.row].sock == 0 {
			return ErrClosed
		}
		l.closeListener(&l.listeners[n.row])
		return nil
	})
}

// Listen makes a machine for each connection accepted, its port 0, that starts as
// a copy of m, a shallow one: m is where configuration and shared stores come in. On
// a datagram network it makes one machine, whose port 0 is the bound socket.
//
// Accepting pauses while slots or descriptors are used up and resumes by itself.
func (k *Kind[M, Msg]) Listen(at Place, network, addr string, m M) (*Listener, error) {
	a, err := resolveOne(network, addr)
	if err != nil {
		return nil, fmt.Errorf("reactor: listen %s: %w", k.name, err)
	}
	var n *Listener
	err = at.place(func(l *Loop) (err error) {
		n, err = listen(l, k, a, driver.SocketOptions{V6Only: strings.HasSuffix(network, "6"), ReusePort: k.opt.Shared}, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reactor: listen %s on %s %s: %w", k.name, network, addr, err)
	}
	return n, nil
}

func listen[M, Msg any](l *Loop, k *Kind[M, Msg], a driver.Addr, opt driver.SocketOptions, m M) (*Listener, error) {
	s, err := listeningStoreOf(l, k)
	if err != nil {
		return nil, err
	}
	var sock driver.Sock
	if a.Net == driver.TCP || a.Net == driver.Unix || a.Net == driver.UnixPacket {
		sock, err = l.drv.Listen(a, opt)
	} else {
		sock, err = l.drv.Bind(a, opt)
	}
	if err != nil {
		return nil, err
	}
	return s.serve(sock, m)
}

// portStoreOf is the store of a kind that can take a socket as port 0.
func portStoreOf[M, Msg any](l *Loop, k *Kind[M, Msg]) (*store[M, Msg], error) {
	if len(k.opt.Ports) == 0 {
		return nil, errors.New("the kind has no port for the socket: name one in Options.Ports")
	}
	return storeOf(l, k)
}

// listeningStoreOf is portStoreOf for new machines still to come: a loop that shuts
// down is told before there is a socket, and its path.
func listeningStoreOf[M, Msg any](l *Loop, k *Kind[M, Msg]) (*store[M, Msg], error) {
	if l.leaving {
		return nil, ErrClosed
	}
	return portStoreOf(l, k)
}

// serve makes machines of what a bound socket brings: one for each connection of a
// listener, or one for a datagram socket.
func (s *store[M, Msg]) serve(sock driver.Sock, m M) (*Listener, error) {
	l := s.loop
	at, err := l.drv.Addr(sock, driver.Local)
	if err != nil {
		l.drv.Close(sock)
		return nil, err
	}
	n := &Listener{Addr: at.IP, Path: at.Path, loop: l, row: -1}
	if l.drv.Traits(sock)&driver.Listening == 0 {
		_, err := s.adopt(sock, &m)
		return n, err
	}
	n.row, n.gen, err = l.addListener(sock, &s.base, func(c driver.Sock) error {
		_, err := s.adopt(c, &m)
		return err
	})
	return n, err
}

// adopt makes a machine over a socket: its port 0.
func (s *store[M, Msg]) adopt(c driver.Sock, m *M) (uint32, error) {
	x, err := s.spawn(m)
	if err != nil {
		s.loop.drv.Close(c)
		return 0, err
	}
	h := s.loop.slots.At(x)
	if err := s.loop.attach(x, h, 0, c, 0); err != nil {
		s.loop.die(x, h)
		return 0, err
	}
	return x, nil
}

func (l *Loop) addListener(sock driver.Sock, b *base, accept func(driver.Sock) error) (int, uint32, error) {
	row := 0
	for row < len(l.listeners) && l.listeners[row].sock != 0 {
		row++
	}
	if row == len(l.listeners) {
		l.listeners = append(l.listeners, listener{})
	}
	n := &l.listeners[row]
	*n = listener{sock: sock, gen: n.gen + 2, store: b, accept: accept}
	if err := l.drv.Register(sock, driver.OwnEvent(n.gen, uint32(row), driver.SourceListener)); err != nil {
		l.drv.Close(sock)
		n.sock = 0
		return 0, 0, err
	}
	n.ready = true // what waited before the registration
	l.accepting++
	return row, n.gen, nil
}

// ownEvent takes an event that is no machine's.
func (l *Loop) ownEvent(data driver.EventData) {
	if data.Source() != driver.SourceListener {
		return
	}
	row := int(data.Number())
	if row >= len(l.listeners) || l.listeners[row].gen != data.Generation() || l.listeners[row].sock == 0 {
		l.stats.stale++
		return
	}
	if n := &l.listeners[row]; !n.ready {
		if n.ready = true; !n.paused {
			l.accepting++
		}
	}
}

func (l *Loop) acceptAll() {
	for i := range l.listeners {
		if n := &l.listeners[i]; n.ready && !n.paused {
			l.acceptFrom(n)
		}
	}
}

// acceptFrom takes a bounded number of connections, so that a burst does not hold
// up the machines that there are.
func (l *Loop) acceptFrom(n *listener) {
	failures := 0
	for range l.cfg.Accepts {
		if n.store.live == n.store.most || l.slots.Len() == l.slots.Cap() {
			l.stats.slotPauses++
			l.pause(n, forever)
			return
		}
		sock, flow, err := l.drv.Accept(n.sock)
		switch {
		case err != nil && driver.Exhausted(err):
			l.stats.fdPauses++
			l.pause(n, l.drv.Now()+int64(pauseFor))
			return
		case err != nil:
			l.stats.acceptErrors++
			if failures++; failures > 8 {
				l.pause(n, l.drv.Now()+int64(pauseFor)) // the listener's own trouble
				return
			}
			continue // one that did not live: go on with the next
		case sock == 0:
			if flow&driver.ReadBlocked != 0 {
				n.ready = false
				l.accepting--
			}
			return
		}
		l.stats.accepted++
		if err := n.accept(sock); err != nil {
			l.stats.acceptErrors++
		}
	}
}

func (l *Loop) pause(n *listener, until int64) {
	n.paused = true
	l.accepting--
	l.resumeAt = min(l.resumeAt, until)
}

// resumeAccepts lets paused listeners try again: a slot or a descriptor is free.
func (l *Loop) resumeAccepts() {
	l.resumeAt = forever
	for i := range l.listeners {
		if n := &l.listeners[i]; n.paused {
			n.paused = false
			l.accepting++
		}
	}
}

func (l *Loop) closeListener(n *listener) {
	l.drv.Close(n.sock)
	if n.ready && !n.paused {
		l.accepting--
	}
	*n = listener{gen: n.gen}
}

func (l *Loop) closeListeners() {
	for i := range l.listeners {
		if n := &l.listeners[i]; n.sock != 0 {
			l.closeListener(n)
		}
	}
}

// Descriptor is what Adopt takes: *os.File, *net.TCPConn, *net.UDPConn,
// *net.UnixConn and the like.
type Descriptor interface {
	syscall.Conn
	io.Closer
}

// Adopt gives an open descriptor to a new machine, as its port 0. The machine has
// a duplicate of its own, and d is closed; on an error d is left as it was.
// ErrNotPollable for what can't be waited for, such as a regular file.
//
// What d stands for, a terminal say, does not block meanwhile, for whoever else has it;
// if it did before, it does again when the machine is done with it.
func (k *Kind[M, Msg]) Adopt(at Place, d Descriptor, m M) (Ref[Msg], error) {
	var ref Ref[Msg]
	err := lend(d, at, func(l *Loop, fd uintptr) error {
		s, err := portStoreOf(l, k)
		if err != nil {
			return err
		}
		sock, err := l.drv.Adopt(fd)
		if err != nil {
			return err
		}
		x, err := s.adopt(sock, &m)
		if err == nil {
			ref = s.ref(x)
		}
		return err
	})
	if err != nil {
		return ref, fmt.Errorf("reactor: adopt %s: %w", k.name, err)
	}
	d.Close()
	return ref, nil
}

// Adopt gives an open descriptor to a port of this machine that is not open. See
// Kind.Adopt.
func (c *IO) Adopt(p Port, d Descriptor) error {
	if uint32(p) >= c.st.nports {
		return c.noPort(p)
	}
	if !c.inside() {
		return ErrOutside
	}
	if c.st.port(c.h, p).flags&isOpen != 0 {
		return fmt.Errorf("reactor: adopt as port %d: %w", p, ErrPortInUse)
	}
	err := lend(d, c, func(l *Loop, fd uintptr) error {
		sock, err := l.drv.Adopt(fd)
		if err != nil {
			return err
		}
		return l.attach(c.x, c.h, p, sock, 0)
	})
	if err != nil {
		return err
	}
	c.moved()
	d.Close()
	return nil
}

// ListenOn is Listen over a socket that listens already, such as a
// *net.TCPListener or one inherited from a parent: it is duplicated, and d closed.
// The path of a unix socket stays.
func (k *Kind[M, Msg]) ListenOn(at Place, d Descriptor, m M) (*Listener, error) {
	var n *Listener
	err := lend(d, at, func(l *Loop, fd uintptr) error {
		s, err := listeningStoreOf(l, k)
		if err != nil {
			return err
		}
		sock, err := l.drv.Adopt(fd)
		if err != nil {
			return err
		}
		if l.drv.Traits(sock)&driver.Listening == 0 {
			l.drv.Close(sock)
			return errors.New("the socket does not listen: want one that does, or Adopt")
		}
		n, err = s.serve(sock, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reactor: listen %s: %w", k.name, err)
	}
	if u, ok := d.(interface{ SetUnlinkOnClose(bool) }); ok { // its path is where clients find the socket
		u.SetUnlinkOnClose(false)
	}
	d.Close()
	return n, nil
}

// lend runs f at a place with d's descriptor, which stays open meanwhile. What d
// does, and what goes wrong in it, is on the caller's goroutine.
func lend(d Descriptor, at Place, f func(l *Loop, fd uintptr) error) error {
	if d == nil {
		return errors.New("no descriptor: want an open file or socket")
	}
	raw, err := d.SyscallConn()
	if err != nil {
		return err
	}
	e := raw.Control(func(fd uintptr) {
		err = at.place(func(l *Loop) error { return f(l, fd) })
	})
	if e != nil {
		return e
	}
	return err
}

// Release gives the port's descriptor back to the standard library (net.FileConn
// makes it a net.Conn), and closes the port. ErrFull while the port holds output
// or input: flush and read first.
func (c *IO) Release(p Port) (*os.File, error) {
	pt, err := c.open(p)
	if err != nil {
		return nil, err
	}
	l := c.loop
	if l.flush(); pt.in != 0 || pt.out != 0 || pt.flags&(connecting|resolving) != 0 {
		return nil, fmt.Errorf("reactor: release port %d: bytes are held: %w", p, ErrFull)
	}
	fd, err := l.drv.Release(pt.sock)
	if err != nil {
		return nil, err
	}
	pt.sock = 0
	l.closePort(c.h, p, pt)
	c.moved()
	return os.NewFile(fd, "released"), nil
}
