package reactor

import (
	"context"
	"errors"
	"fmt"

	"github.com/stator-go/stator/reactor/driver"
)

// dials are the ports of a loop whose name is being looked up, or that have addresses
// left to try.
type dials struct {
	loop    *Loop
	pending []pendingDial
}

type pendingDial struct {
	machine Token
	port    Port
	gen     uint8 // of the port
	addrs   []driver.Addr
	stop    context.CancelFunc // of the look-up
}

// find returns the pending dial of a port, or nil.
func (d *dials) find(t Token, p Port) *pendingDial {
	for i := range d.pending {
		if d.pending[i].machine == t && d.pending[i].port == p {
			return &d.pending[i]
		}
	}
	return nil
}

// forget ends the pending dial of a port, if there is one.
func (d *dials) forget(h *header, p Port) {
	for i := range d.pending {
		k := &d.pending[i]
		if k.port == p && d.loop.slots.Get(k.machine) == h {
			k.stop()
			last := len(d.pending) - 1
			d.pending[i] = d.pending[last]
			d.pending = d.pending[:last]
			return
		}
	}
}

// Dial connects a port. The networks are "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6",
// "unix", "unixgram" and "unixpacket". An address without a host, such as ":80", or with a
// wildcard is this machine. A name is looked up on another goroutine, for at most 30 s, and
// its addresses are tried in their order. When the port is connected, p.Opened() is ready.
//
// There is no timeout for the connection but the system's: bound the state with Within.
//
// An error comes in one of two ways. If Dial returns it, pass it to IO.Fail; it is
// ErrPortInUse if the port is open. If it comes later, such as ErrRefused, the loop leads
// the machine to the row's Fail.
//
// The port may be written to at once: the bytes are sent when it opens. Datagrams are not
// held: before it opens, a write is ErrWouldBlock.
func (c *IO) Dial(p Port, network, addr string) error {
	if uint32(p) >= c.st.nports {
		return c.noPort(p)
	}
	if !c.inCall() {
		return ErrOutside
	}
	pt := c.st.port(c.h, p)
	if pt.flags&pOpen != 0 {
		return fmt.Errorf("reactor: dial %s as port %d: %w", addr, p, ErrPortInUse)
	}
	a, err := parseAddr(network, addr)
	if errors.Is(err, errName) {
		c.lookUp(p, pt, network, addr)
		c.madeProgress()
		return nil
	}
	if err == nil {
		err = c.loop.connect(c.x, c.h, p, localAddr(a, network))
	}
	if err != nil {
		return fmt.Errorf("reactor: dial %s %s: %w", network, addr, err)
	}
	c.madeProgress()
	return nil
}

// connect begins a connection to one address.
func (l *Loop) connect(x uint32, h *header, p Port, a driver.Addr) error {
	sock, flow, err := l.drv.Connect(a, driver.SocketOptions{KeepAlive: l.stores[h.kind].opt.KeepAlive})
	if err != nil {
		return err
	}
	var flags portFlags
	if flow&driver.WriteBlocked != 0 {
		flags = pConnecting
	}
	return l.attach(x, h, p, sock, flags)
}

// finishDial asks how a connection attempt ended: the port opens, or the next address
// is tried, or the machine takes its Fail transition.
func (l *Loop) finishDial(x uint32, h *header, p Port, pt *port) {
	flow, err := l.drv.FinishConnect(pt.sock)
	if err == nil && flow&driver.WriteBlocked != 0 {
		return
	}
	if err == nil {
		l.dials.forget(h, p)
		l.opened(h, p, pt, l.drv.Traits(pt.sock))
		l.schedule(x, h)
		return
	}
	l.dialFailed(x, h, p, pt, err)
}

// dialFailed tries the next address of a dial; if there is none, the port has failed.
func (l *Loop) dialFailed(x uint32, h *header, p Port, pt *port, err error) {
	for {
		d := l.dials.find(l.slots.TokenAt(x), p)
		if d == nil || len(d.addrs) == 0 {
			break
		}
		next := d.addrs[0]
		d.addrs = d.addrs[1:]
		if err = l.reconnect(x, h, p, pt, next); err == nil {
			return
		}
	}
	l.dials.forget(h, p)
	pt.flags &^= pConnecting | pResolving
	l.setError(pt, err)
	l.dropOutput(pt)
	h.flags |= mErrorPending
	l.schedule(x, h)
}

// reconnect puts another socket under a port, which keeps what was written to it.
func (l *Loop) reconnect(x uint32, h *header, p Port, pt *port, a driver.Addr) error {
	if pt.sock != 0 {
		l.drv.Close(pt.sock)
		pt.sock = 0
		pt.gen = driver.NextPortGen(pt.gen)
	}
	sock, flow, err := l.drv.Connect(a, driver.SocketOptions{KeepAlive: l.stores[h.kind].opt.KeepAlive})
	if err != nil {
		return err
	}
	if err := l.drv.Register(sock, eventData(l.slots.TokenAt(x), p, pt.gen)); err != nil {
		l.drv.Close(sock)
		return err
	}
	pt.sock = sock
	pt.flags = pt.flags&^pResolving | pConnecting
	if l.drv.Traits(sock)&driver.Datagram != 0 {
		pt.flags |= pDatagram
	}
	if flow&driver.WriteBlocked == 0 {
		l.dials.forget(h, p)
		l.opened(h, p, pt, l.drv.Traits(sock))
		l.schedule(x, h)
	}
	return nil
}

// lookUp resolves a name on another goroutine, which posts the result to the loop.
func (c *IO) lookUp(p Port, pt *port, network, addr string) {
	l, t := c.loop, c.Token()
	ctx, stop := context.WithTimeout(context.Background(), lookupTimeout)
	*pt = port{flags: pOpen | pResolving, gen: pt.gen}
	if n, _ := parseNet(network); n == driver.UDP {
		pt.flags |= pDatagram // writes are refused until there is a socket
	}
	gen := pt.gen
	l.dials.pending = append(l.dials.pending, pendingDial{machine: t, port: p, gen: gen, stop: stop})
	go func() {
		addrs, err := resolve(ctx, network, addr)
		stop()
		l.post(func() { l.lookedUp(t, p, gen, addrs, err) })
	}()
}

// lookedUp takes the result of a look-up, and begins with its first address.
func (l *Loop) lookedUp(t Token, p Port, gen uint8, addrs []driver.Addr, err error) {
	h := l.live(t)
	d := l.dials.find(t, p)
	if h == nil || d == nil || d.gen != gen {
		return
	}
	pt := l.stores[h.kind].port(h, p)
	if err == nil && len(addrs) == 0 {
		err = errors.New("no address")
	}
	d.addrs = addrs
	l.dialFailed(t.Index(), h, p, pt, err) // if nothing has failed yet: it tries the first address
}
