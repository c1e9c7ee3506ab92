package reactor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/stator-go/stator/reactor/driver"
)

// Descriptor is what Adopt and ListenOn take: *os.File, *net.TCPConn, *net.UDPConn,
// *net.UnixConn, *net.TCPListener and the like.
type Descriptor interface {
	syscall.Conn
	io.Closer
}

// Adopt makes a machine over an open descriptor, which becomes its port 0. The machine uses
// a duplicate, and d is closed; after an error d is as it was. The error is ErrNotPollable
// for what the system cannot wait for, such as a regular file, or one of Host.
//
// Terminals, and on Linux pipes and FIFOs, are opened anew if that is permitted: nothing
// changes for others who have d's description, such as another program with the same
// terminal. Of all else, the machine's descriptor shares the description of d, which does not
// block while the machine has it; if it blocked before, it blocks again when the machine is
// done with it. If another program makes it block meanwhile, and it is no socket, the loop
// may have to wait in a call on it.
func (k *Kind[M, Msg]) Adopt(at Host, d Descriptor, m M) (Ref[Msg], error) {
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

// Adopt makes an open descriptor a port of this machine. The port must not be open. See
// Kind.Adopt.
func (c *IO) Adopt(p Port, d Descriptor) error {
	if uint32(p) >= c.st.nports {
		return c.noPort(p)
	}
	if !c.inCall() {
		return ErrOutside
	}
	if c.st.port(c.h, p).flags&pOpen != 0 {
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
	c.madeProgress()
	d.Close()
	return nil
}

// adopt makes a machine with a socket as its port 0.
func (s *store[M, Msg]) adopt(c driver.Sock, m *M) (uint32, error) {
	x, err := s.spawn(m)
	if err != nil {
		s.loop.drv.Close(c)
		return 0, err
	}
	h := s.loop.slots.At(x)
	if err := s.loop.attach(x, h, 0, c, 0); err != nil {
		s.loop.end(x, h)
		return 0, err
	}
	return x, nil
}

// lend calls f on a host with the number of d's descriptor, which stays open meanwhile.
func lend(d Descriptor, at Host, f func(l *Loop, fd uintptr) error) error {
	if d == nil {
		return errors.New("no descriptor: want an open file or socket")
	}
	raw, err := d.SyscallConn()
	if err != nil {
		return err
	}
	e := raw.Control(func(fd uintptr) {
		err = at.onLoop(func(l *Loop) error { return f(l, fd) })
	})
	if e != nil {
		return e
	}
	return err
}

// Release takes a port out of the loop, and returns its descriptor; net.FileConn makes a
// net.Conn of it. The port is closed. The error is ErrFull while the port holds output or
// input that was not consumed. A descriptor that blocked before Adopt blocks again. The path
// of a unix socket stays.
func (c *IO) Release(p Port) (*os.File, error) {
	pt, err := c.open(p)
	if err != nil {
		return nil, err
	}
	l := c.loop
	if l.flush(c.h); pt.in != 0 || pt.out != 0 || pt.flags&(pConnecting|pResolving) != 0 {
		return nil, fmt.Errorf("reactor: release port %d: bytes are held: %w", p, ErrFull)
	}
	fd, err := l.drv.Release(pt.sock)
	if err != nil {
		return nil, err
	}
	pt.sock = 0
	l.closePort(c.x, c.h, p, pt)
	c.madeProgress()
	return os.NewFile(fd, "released"), nil
}
