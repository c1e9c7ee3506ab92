package reactor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"weak"

	"github.com/stator-go/stator/reactor/driver"
)

// Listener is a listening socket, or a bound datagram socket. Its address has the port
// that the system chose, if it did.
type Listener struct {
	Addr netip.AddrPort // of TCP and UDP
	Path string         // of unix sockets

	loop weak.Pointer[Loop] // a Listener that is kept does not keep the loop
	row  int
	gen  uint32
}

// String returns the address in the form that Dial takes.
func (n *Listener) String() string {
	if n.Path != "" {
		return n.Path
	}
	return n.Addr.String()
}

// Close stops accepting, after the connections that wait have been accepted. Accepted
// connections live on. If no slot or descriptor is free, the system resets those that wait.
// The error is ErrClosed if the listener is closed already or at is another loop,
// ErrUnsupported for a datagram socket, which is its machine's to close, or one of Host.
func (n *Listener) Close(at Host) error {
	if n.row < 0 {
		return fmt.Errorf("reactor: close %s: the socket is its machine's: stop that: %w", n, ErrUnsupported)
	}
	return at.onLoop(func(l *Loop) error {
		if l != n.loop.Value() {
			return ErrClosed
		}
		listening := l.acceptor.find(n.row, n.gen)
		if listening == nil {
			return ErrClosed
		}
		l.acceptor.finish(listening)
		return nil
	})
}

// Listen makes a machine for each connection that comes to an address. The connection is
// its port 0, and the machine starts as a copy of m: that is how configuration and shared
// stores reach it. The copy is shallow. The network is "tcp", "tcp4", "tcp6", "unix" or
// "unixpacket".
//
// On the networks "udp", "udp4", "udp6" and "unixgram", Listen makes one machine, whose
// port 0 is the bound socket.
//
// The path of a unix socket is removed when the socket is closed, unless another file is
// there by then.
//
// If addr has the name of a host or a service, Listen looks it up on the calling goroutine,
// for at most 30 s, and uses its first address. In a handler that is refused with
// ErrInHandler, as all machines of the loop would have to wait for it: pass an IP address
// and the number of a port there.
//
// Accepting pauses while no slot is free, there are Options.MaxMachines machines, or
// descriptors are used up, and after more than 8 accepts in a row have failed. It resumes by
// itself. The errors are those of Host, and the system's for the address.
func (k *Kind[M, Msg]) Listen(at Host, network, addr string, m M) (*Listener, error) {
	a, err := resolveOne(at, network, addr)
	if err != nil {
		return nil, fmt.Errorf("reactor: listen %s on %s %s: %w", k.name, network, addr, err)
	}
	var n *Listener
	err = at.onLoop(func(l *Loop) (err error) {
		n, err = listen(l, k, a, driver.SocketOptions{V6Only: strings.HasSuffix(network, "6"), ReusePort: k.opt.ReusePort, KeepAlive: k.opt.KeepAlive}, m)
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

// portStoreOf returns the store of a kind, or an error if the kind has no port for a socket.
func portStoreOf[M, Msg any](l *Loop, k *Kind[M, Msg]) (*store[M, Msg], error) {
	if len(k.opt.Ports) == 0 {
		return nil, errors.New("the kind has no port for the socket: name one in Options.Ports")
	}
	return storeOf(l, k)
}

// listeningStoreOf is portStoreOf for a socket whose machines are still to come. It fails
// on a loop that shuts down, before the socket, and the path of a unix socket, exists.
func listeningStoreOf[M, Msg any](l *Loop, k *Kind[M, Msg]) (*store[M, Msg], error) {
	if l.control.shuttingDown {
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
	n := &Listener{Addr: at.IP, Path: at.Path, loop: weak.Make(l), row: -1}
	if l.drv.Traits(sock)&driver.Listening == 0 {
		_, err := s.adopt(sock, &m)
		return n, err
	}
	n.row, n.gen, err = l.acceptor.add(sock, &s.base, func(c driver.Sock) error {
		_, err := s.adopt(c, &m)
		return err
	})
	return n, err
}

// ListenOn is Listen on a socket that listens already, such as a *net.TCPListener, or one
// inherited from a parent process. The loop uses a duplicate, and d is closed; after an
// error d is as it was. The path of a unix socket stays. The errors are those of Host.
func (k *Kind[M, Msg]) ListenOn(at Host, d Descriptor, m M) (*Listener, error) {
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
		if l.os != nil {
			l.os.SetKeepAlive(sock, k.opt.KeepAlive)
		}
		n, err = s.serve(sock, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reactor: listen %s: %w", k.name, err)
	}
	if u, ok := d.(interface{ SetUnlinkOnClose(bool) }); ok { // clients find the socket by its path
		u.SetUnlinkOnClose(false)
	}
	d.Close()
	return n, nil
}
