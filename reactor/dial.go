package reactor

import (
	"errors"
	"fmt"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// dials are the dials of a loop that have not succeeded: names that are looked up, addresses
// that are tried, and dials that have failed, until their ports close.
type dials struct {
	loop   *Loop
	all    []dial
	unused []uint32
	byPort map[dialKey]uint32 // numbers in all; made at the first dial that is not done at once
	serial uint64

	lookups lookups
}

type dialKey struct {
	machine Token
	port    Port
}

type dial struct {
	dialKey
	serial        uint64 // no other dial has the same one
	network, addr string // as they were passed to Dial
	tried         driver.Addr
	left          []driver.Addr // further addresses of the name
	since         int64         // when the attempt to connect to tried began
	err           *dialError    // why the dial failed
	next, prev    uint32        // in the queue of lookups, as number+1
	queued        bool          // it is in that queue
}

// add makes a dial of a port. The pointer is valid until the next add.
func (d *dials) add(k dialKey, network, addr string) *dial {
	if d.byPort == nil {
		d.byPort = map[dialKey]uint32{}
	}
	n := uint32(len(d.all))
	if last := len(d.unused) - 1; last >= 0 {
		n, d.unused = d.unused[last], d.unused[:last]
	} else {
		d.all = append(d.all, dial{})
	}
	d.byPort[k] = n
	d.serial++
	d.all[n] = dial{dialKey: k, serial: d.serial, network: network, addr: addr}
	return &d.all[n]
}

// find returns the dial of a port, or nil.
func (d *dials) find(k dialKey) *dial {
	if n, ok := d.byPort[k]; ok {
		return &d.all[n]
	}
	return nil
}

// forget ends the dial of a port, if there is one.
func (d *dials) forget(k dialKey) {
	n, ok := d.byPort[k]
	if !ok {
		return
	}
	if d.all[n].queued {
		d.unqueue(n)
	}
	delete(d.byPort, k)
	d.all[n] = dial{}
	d.unused = append(d.unused, n)
}

// dialError is why a dial failed, with what was dialled.
type dialError struct {
	network, addr string
	tried         driver.Addr // the last address of a name; the zero Addr if that is all of addr
	err           error
}

func (e *dialError) Error() string {
	what := e.network + " " + e.addr
	if e.tried != (driver.Addr{}) {
		what += ": " + e.tried.IP.String()
	}
	return "reactor: dial " + what + ": " + e.err.Error()
}

func (e *dialError) Unwrap() error { return e.err }

// errorOf returns the error that broke a port of a machine, or nil.
func (l *Loop) errorOf(x uint32, p Port, pt *port) error {
	if pt.err != 0 {
		if d := l.dials.find(dialKey{l.slots.TokenAt(x), p}); d != nil && d.err != nil {
			return d.err
		}
	}
	return l.errs.of(pt.err)
}

// Dial connects a port. The networks are "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6",
// "unix", "unixgram" and "unixpacket". An address without a host, such as ":80", or with a
// wildcard is this machine. When the port is connected, p.Opened() is ready.
//
// A name is looked up on another goroutine, for at most 30 s. At most Config.Lookups names
// are looked up at once; the others wait in the order of their dials. The addresses of the
// name are tried one after the other, IPv6 and IPv4 in turn, until one accepts. Each has its
// share of the time that the state's deadlines leave: an address that does not answer, such
// as one behind a dead IPv6 route, is given up for the next one after that share, and after
// 5 seconds at most. The last address has all the time that is left.
//
// There is no timeout for the only or last address but the system's: bound the state with
// Within.
//
// An error comes in one of two ways. If Dial returns it, pass it to IO.Fail; it is
// ErrPortInUse if the port is open. If it comes later, such as ErrRefused, the loop leads
// the machine to the row's Fail. Both name the address.
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
		return &dialError{network: network, addr: addr, err: err}
	}
	if pt.flags&pConnecting != 0 {
		c.loop.dials.add(dialKey{c.Token(), p}, network, addr)
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
		l.dials.forget(dialKey{l.slots.TokenAt(x), p})
		l.opened(h, p, pt, l.drv.Traits(pt.sock))
		l.schedule(x, h)
		return
	}
	l.dialFailed(x, h, p, pt, err)
}

// dialFailed tries the next address of a dial; if there is none, the port has failed.
func (l *Loop) dialFailed(x uint32, h *header, p Port, pt *port, err error) {
	d := l.dials.find(dialKey{l.slots.TokenAt(x), p})
	for d != nil && len(d.left) > 0 {
		d.tried, d.left = d.left[0], d.left[1:]
		if err = l.reconnect(x, h, p, pt, d); err == nil {
			return
		}
	}
	if d != nil {
		d.err = &dialError{d.network, d.addr, d.tried, err}
	}
	pt.flags &^= pConnecting | pResolving
	l.setError(pt, err)
	l.dropOutput(pt)
	h.flags |= mErrorPending
	l.schedule(x, h)
}

// reconnect puts another socket under a port, which keeps what was written to it.
func (l *Loop) reconnect(x uint32, h *header, p Port, pt *port, d *dial) error {
	if pt.sock != 0 {
		l.drv.Close(pt.sock)
		pt.sock = 0
		pt.gen = driver.NextPortGen(pt.gen)
	}
	sock, flow, err := l.drv.Connect(d.tried, driver.SocketOptions{KeepAlive: l.stores[h.kind].opt.KeepAlive})
	if err != nil {
		return err
	}
	if err := l.drv.Register(sock, eventData(l.slots.TokenAt(x), p, pt.gen)); err != nil {
		l.drv.Close(sock)
		return err
	}
	pt.sock = sock
	pt.flags = pt.flags&^pResolving | pConnecting
	traits := l.drv.Traits(sock)
	if traits&driver.Datagram != 0 {
		pt.flags |= pDatagram
	}
	if flow&driver.WriteBlocked == 0 {
		l.dials.forget(d.dialKey)
		l.opened(h, p, pt, traits)
		l.schedule(x, h)
	} else if d.since = l.drv.Now(); len(d.left) > 0 {
		if h.flags |= mDialing; h.flags&mStopping == 0 {
			l.arm(x, h)
		}
	}
	return nil
}

// Bounds of the time that one of several addresses has.
const (
	attemptLeast = 250 * time.Millisecond // or half of all the time, if that is less
	attemptMost  = 5 * time.Second        // three packets were sent by then
)

// attemptEnds returns when a port gives up the address that it tries, for the next one: at
// once if the time is in the past. There is time until end for all addresses.
func (d *dial) attemptEnds(end int64) int64 {
	share := attemptMost
	if end != forever {
		all := time.Duration(end - d.since)
		share = min(share, max(all/time.Duration(len(d.left)+1), min(attemptLeast, all/2)))
	}
	return after(d.since, max(share, 1))
}

// nextAttempt returns when the first of a machine's ports gives up an address, and which one
// that is. Deadlines of the machine end all attempts at end.
func (l *Loop) nextAttempt(x uint32, h *header, end int64) (at int64, p Port, d *dial) {
	at = forever
	b := l.stores[h.kind]
	for i := Port(0); uint32(i) < b.nports; i++ {
		if b.port(h, i).flags&pConnecting == 0 {
			continue
		}
		if e := l.dials.find(dialKey{l.slots.TokenAt(x), i}); e != nil && len(e.left) > 0 {
			if t := e.attemptEnds(end); t < at {
				at, p, d = t, i, e
			}
		}
	}
	if d == nil {
		h.flags &^= mDialing
	}
	return at, p, d
}

// followAttempts gives up addresses that had their share of the time until end.
func (l *Loop) followAttempts(x uint32, h *header, end int64) {
	b := l.stores[h.kind]
	for h.flags&mDialing != 0 {
		at, p, d := l.nextAttempt(x, h, end)
		if d == nil || at > l.turn.now {
			return
		}
		l.dialFailed(x, h, p, b.port(h, p), ErrTimeout)
	}
}
