package reactor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// lookupTimeout bounds a look-up that no state's deadline ends before.
const lookupTimeout = 30 * time.Second

// lookup is a port that waits for a name to be resolved, or that has addresses
// left to try.
type lookup struct {
	who   Token
	port  Port
	gen   uint8
	addrs []driver.Addr
	stop  context.CancelFunc
}

// Dial connects (resolving off the loop, trying each address). Done is p.Opened();
// an error leads to Fail: this one's, or later the loop's. A port that is open is
// ErrPortInUse. It may be written to at once: the bytes go out when it opens. Datagrams
// are not held: until it opens, they are ErrWouldBlock.
func (c *IO) Dial(p Port, network, addr string) error {
	if uint32(p) >= c.st.nports {
		return c.noPort(p)
	}
	if !c.inside() {
		return ErrOutside
	}
	pt := c.st.port(c.h, p)
	if pt.flags&isOpen != 0 {
		return fmt.Errorf("reactor: dial %s as port %d: %w", addr, p, ErrPortInUse)
	}
	a, err := parseAddr(network, addr)
	if errors.Is(err, errName) {
		c.lookUp(p, pt, network, addr)
		c.moved()
		return nil
	}
	if err == nil {
		err = c.loop.connect(c.x, c.h, p, localAddr(a, network))
	}
	if err != nil {
		return fmt.Errorf("reactor: dial %s %s: %w", network, addr, err)
	}
	c.moved()
	return nil
}

func (l *Loop) connect(x uint32, h *header, p Port, a driver.Addr) error {
	sock, flow, err := l.drv.Connect(a, driver.SocketOptions{})
	if err != nil {
		return err
	}
	flags := uint16(0)
	if flow&driver.WriteBlocked != 0 {
		flags = connecting
	}
	return l.attach(x, h, p, sock, flags)
}

// finishDial asks how a connection attempt ended: open, on to the next address, or
// the Fail edge.
func (l *Loop) finishDial(x uint32, h *header, p Port, pt *port) {
	flow, err := l.drv.FinishConnect(pt.sock)
	if err == nil && flow&driver.WriteBlocked != 0 {
		return
	}
	if err == nil {
		l.forgetLookup(h, p)
		l.opened(h, p, pt, l.drv.Traits(pt.sock))
		l.rouse(x, h)
		return
	}
	l.dialFailed(x, h, p, pt, err)
}

func (l *Loop) dialFailed(x uint32, h *header, p Port, pt *port, err error) {
	for {
		i := l.lookupOf(l.slots.TokenAt(x), p)
		if i < 0 || len(l.lookups[i].addrs) == 0 {
			break
		}
		next := l.lookups[i].addrs[0]
		l.lookups[i].addrs = l.lookups[i].addrs[1:]
		if err = l.reconnect(x, h, p, pt, next); err == nil {
			return
		}
	}
	l.forgetLookup(h, p)
	pt.flags &^= connecting | resolving
	l.fault(pt, err)
	l.dropOutput(pt)
	h.flags |= broken
	l.rouse(x, h)
}

// reconnect puts another socket under a port that keeps what was written to it.
func (l *Loop) reconnect(x uint32, h *header, p Port, pt *port, a driver.Addr) error {
	if pt.sock != 0 {
		l.drv.Close(pt.sock)
		pt.sock = 0
		pt.gen = driver.NextPortGen(pt.gen)
	}
	sock, flow, err := l.drv.Connect(a, driver.SocketOptions{})
	if err != nil {
		return err
	}
	if err := l.drv.Register(sock, eventData(l.slots.TokenAt(x), p, pt.gen)); err != nil {
		l.drv.Close(sock)
		return err
	}
	pt.sock = sock
	pt.flags = pt.flags&^resolving | connecting
	if l.drv.Traits(sock)&driver.Datagram != 0 {
		pt.flags |= datagram
	}
	if flow&driver.WriteBlocked == 0 {
		l.forgetLookup(h, p)
		l.opened(h, p, pt, l.drv.Traits(sock))
		l.rouse(x, h)
	}
	return nil
}

// lookUp resolves a name on another goroutine; the answer comes back as a call.
func (c *IO) lookUp(p Port, pt *port, network, addr string) {
	l, who := c.loop, c.Token()
	ctx, stop := context.WithTimeout(context.Background(), lookupTimeout)
	*pt = port{flags: isOpen | resolving, gen: pt.gen}
	if n, _ := parseNet(network); n == driver.UDP {
		pt.flags |= datagram // no write is held for the one behind it
	}
	gen := pt.gen
	l.lookups = append(l.lookups, lookup{who: who, port: p, gen: gen, stop: stop})
	go func() {
		addrs, err := resolve(ctx, network, addr)
		stop()
		l.call(func() { l.lookedUp(who, p, gen, addrs, err) })
	}()
}

func (l *Loop) lookedUp(who Token, p Port, gen uint8, addrs []driver.Addr, err error) {
	h := l.live(who)
	i := l.lookupOf(who, p)
	if h == nil || i < 0 || l.lookups[i].gen != gen {
		return
	}
	pt := l.stores[h.kind].port(h, p)
	if err == nil && len(addrs) == 0 {
		err = errors.New("no address")
	}
	l.lookups[i].addrs = addrs
	l.dialFailed(who.Index(), h, p, pt, err) // nothing failed yet: it takes the first address
}

func (l *Loop) lookupOf(who Token, p Port) int {
	for i := range l.lookups {
		if l.lookups[i].who == who && l.lookups[i].port == p {
			return i
		}
	}
	return -1
}

func (l *Loop) forgetLookup(h *header, p Port) {
	for i := range l.lookups {
		k := &l.lookups[i]
		if k.port == p && l.slots.Get(k.who) == h {
			k.stop()
			l.lookups[i] = l.lookups[len(l.lookups)-1]
			l.lookups = l.lookups[:len(l.lookups)-1]
			return
		}
	}
}

// resolve looks a name up with the standard library's resolver.
func resolve(ctx context.Context, network, addr string) ([]driver.Addr, error) {
	n, err := parseNet(network)
	if err != nil {
		return nil, err
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	num, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if ip, err := parseHost(network, host); err == nil {
		return []driver.Addr{{Net: n, IP: netip.AddrPortFrom(ip, uint16(num))}}, nil
	}
	family := "ip"
	if strings.HasSuffix(network, "4") || strings.HasSuffix(network, "6") {
		family += network[len(network)-1:]
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, family, host)
	var addrs []driver.Addr
	for _, ip := range ips {
		addrs = append(addrs, driver.Addr{Net: n, IP: netip.AddrPortFrom(ip.Unmap(), uint16(num))})
	}
	return addrs, err
}

// resolveOne is for addresses to bind: a name must mean one.
func resolveOne(network, addr string) (driver.Addr, error) {
	a, err := parseAddr(network, addr)
	if !errors.Is(err, errName) {
		return a, err
	}
	ctx, stop := context.WithTimeout(context.Background(), lookupTimeout)
	defer stop()
	addrs, err := resolve(ctx, network, addr)
	if err == nil && len(addrs) == 0 {
		err = fmt.Errorf("%s has no address", addr)
	}
	if err != nil {
		return driver.Addr{}, err
	}
	return addrs[0], nil
}
