package reactor

import (
	"fmt"
	"io"
	"net/netip"

	"github.com/stator-go/stator/reactor/driver"
)

func (c *IO) noPort(p Port) error {
	return fmt.Errorf("reactor: %s: port %d: want 0 to %d, as Options.Ports names them", c.st.name, p, int(c.st.nports)-1)
}

// Read reads into b, which is not kept: a stack buffer costs nothing. The end is
// io.EOF, told once; ErrWouldBlock says that nothing came.
func (c *IO) Read(p Port, b []byte) (int, error) {
	pt, err := c.open(p)
	if err != nil || len(b) == 0 {
		return 0, err
	}
	l := c.loop
	if pt.in != 0 {
		k := &l.pool.chunks[pt.in]
		n := copy(b, k.b[k.r:k.w])
		c.consume(p, pt, k, n)
		return n, nil
	}
	if pt.flags&kernelIn == 0 {
		return 0, c.nothing(p, pt, false)
	}
	var n int
	var flow driver.Flow
	if l.os != nil {
		n, flow, err = l.os.Read(pt.sock, b)
	} else {
		// Through an interface the caller's buffer would escape to the heap.
		s := l.scratch(len(b))
		n, flow, err = l.drv.Read(pt.sock, s)
		copy(b, s[:n])
	}
	l.came(c.h, p, pt, n, flow, err)
	if n == 0 && (pt.flags&datagram == 0 || flow != 0 || err != nil) {
		return 0, c.nothing(p, pt, false)
	}
	c.moved()
	return n, nil
}

// Peek is all input that is not consumed, in one piece, valid until the handler
// answers, discards, copies or closes, or peeks again, at whatever port; what it
// leaves is kept. ErrWouldBlock when nothing came since the last look, or while
// Config.Buffers has no room for it; ErrFull when what is held fills Options.Inbox,
// or can't grow for want of Buffers; io.EOF, or with input left io.ErrUnexpectedEOF,
// when nothing more will come: behind a refused Write not before what was left is shown
// again.
//
// On a datagram port it is one datagram, cut to Options.Inbox, until that is consumed;
// empty ones are passed over. Read and ReadFrom show those, too.
func (c *IO) Peek(p Port) ([]byte, error) {
	pt, err := c.open(p)
	if err != nil {
		return nil, err
	}
	full, whole := false, pt.flags&datagram != 0
	if pt.flags&kernelIn != 0 && (!whole || pt.in == 0) {
		if full, err = c.fill(p, pt); err != nil {
			return nil, err
		}
	}
	if pt.in != 0 && (whole || pt.flags&seen == 0) {
		k := &c.loop.pool.chunks[pt.in]
		c.loop.peeked |= 1 << p
		return k.b[k.r:k.w], nil
	}
	return nil, c.nothing(p, pt, full)
}

// fill reads once from the kernel, behind the input that is held. It tells
// whether the inbox is full.
func (c *IO) fill(p Port, pt *port) (full bool, err error) {
	l := c.loop
	if pt.in == 0 {
		if pt.in = c.inputChunk(); pt.in == 0 {
			return false, ErrWouldBlock
		}
	}
	k := &l.pool.chunks[pt.in]
	if k.w-k.r >= c.st.opt.Inbox {
		return true, nil
	}
	if k.w == len(k.b) && !c.widen(pt) {
		return false, fmt.Errorf("reactor: input of %s: Config.Buffers: %w", c.st.name, ErrFull)
	}
	k = &l.pool.chunks[pt.in]
	n, flow, err := l.drv.Read(pt.sock, k.b[k.w:min(len(k.b), k.r+c.st.opt.Inbox)])
	if k.w += n; n > 0 {
		pt.flags &^= seen
		c.moved()
	} else if k.w == k.r {
		l.pool.put(pt.in)
		pt.in = 0
		if flow == 0 && err == nil && pt.flags&datagram != 0 {
			c.moved() // an empty datagram has gone by
		}
	}
	l.came(c.h, p, pt, n, flow, err)
	return false, nil
}

// inputChunk is for the input of a port that holds none: the loop's scratch, or
// another when two ports are looked at. 0: the source has to wait for Config.Buffers.
func (c *IO) inputChunk() (n uint32) {
	l := c.loop
	if l.pool.lent > l.pool.limit-4*scratchSize {
		l.flush() // what the cork holds comes first
	}
	if l.pool.chunks[scratchNum].w == 0 {
		if n = l.pool.open(); n == 0 {
			l.starve(c.x, c.h, 2*minInput)
		}
		return n
	}
	return c.takeChunk(min(outChunk, c.st.opt.Inbox))
}

func (c *IO) takeChunk(size int) uint32 {
	n := c.loop.pool.get(size)
	if n == 0 {
		c.loop.starve(c.x, c.h, 1<<class(size))
	}
	return n
}

// widen makes room behind the input that is held.
func (c *IO) widen(pt *port) bool {
	l := c.loop
	k := &l.pool.chunks[pt.in]
	if k.r > 0 && k.w-k.r <= len(k.b)/2 {
		k.w = copy(k.b, k.b[k.r:k.w])
		k.r = 0
		return true
	}
	l.flush() // what the cork holds comes first
	n := c.takeChunk(2 * (k.w - k.r))
	if n == 0 {
		return false
	}
	l.hold(pt, n)
	return true
}

// hold moves the input that a port holds to another chunk.
func (l *Loop) hold(pt *port, to uint32) {
	k, into := &l.pool.chunks[pt.in], &l.pool.chunks[to]
	into.w = copy(into.b, k.b[k.r:k.w])
	l.pool.put(pt.in)
	pt.in = to
}

// Discard consumes n bytes of Peek's. More than there are is a mistake: it panics.
func (c *IO) Discard(p Port, n int) {
	pt, err := c.open(p)
	if err != nil || n == 0 {
		return
	}
	k := &c.loop.pool.chunks[pt.in]
	if n < 0 || n > k.w-k.r {
		panic(fmt.Sprintf("reactor: discard %d bytes of %d", n, k.w-k.r))
	}
	c.consume(p, pt, k, n)
}

func (c *IO) consume(p Port, pt *port, k *chunk, n int) {
	k.r += n
	if k.r == k.w {
		c.loop.pool.put(pt.in)
		pt.in = 0
	}
	c.loop.peeked &^= 1 << p
	pt.flags &^= seen
	c.moved()
	c.loop.refresh(c.h, p, pt)
}

// nothing says why there is no input. The end, and an error, are told once by a
// call of the loop's, and again to whoever asks again.
func (c *IO) nothing(p Port, pt *port, full bool) error {
	var err error
	switch {
	case pt.err != 0:
		err = c.loop.errs.of(pt.err)
	case full && pt.flags&seen != 0:
		return fmt.Errorf("reactor: Options.Inbox of %s: %d bytes are not consumed: %w", c.st.name, c.st.opt.Inbox, ErrFull)
	case pt.flags&ended == 0 || pt.in != 0 && c.h.flags&noRoom != 0: // what is left is shown again before the end is told
		return ErrWouldBlock
	case pt.in != 0:
		err = io.ErrUnexpectedEOF
	default:
		err = io.EOF
	}
	pt.flags |= told
	c.loop.refresh(c.h, p, pt)
	return err
}

// came notes what a read learned.
func (l *Loop) came(h *header, p Port, pt *port, n int, flow driver.Flow, err error) {
	if n > 0 {
		h.heardAt = max(h.heardAt, l.now)
		l.stats.in += uint64(n)
	}
	// A short read proves a drained stream only if nothing but bytes can wait in it.
	if flow&driver.ReadBlocked != 0 && (n == 0 || pt.flags&hungUp == 0) {
		pt.flags &^= kernelIn
	}
	if flow&(driver.ReadEnded|driver.BothEnded) != 0 {
		pt.flags = pt.flags&^kernelIn | ended
	}
	if err != nil {
		pt.flags &^= kernelIn
		l.fault(pt, err)
	}
	l.refresh(h, p, pt)
}

// fault makes an error sticky: the first one stays.
func (l *Loop) fault(pt *port, err error) {
	if pt.err == 0 {
		pt.err = l.errs.hold(err)
		pt.flags &^= told // that was the end of input
	}
}

// refresh computes the readable bit from what the kernel and the port hold.
func (l *Loop) refresh(h *header, p Port, pt *port) {
	readable := pt.flags&kernelIn != 0 ||
		pt.in != 0 && pt.flags&seen == 0 ||
		(pt.flags&ended != 0 || pt.err != 0) && pt.flags&told == 0
	if readable && pt.flags&(isOpen|connecting|resolving) == isOpen {
		h.ready |= readBit(p)
	} else {
		h.ready &^= readBit(p)
	}
}

// sawAll follows a call that looked at input and took none of it: it is shown
// again when more comes, or to another state. It tells whether a port whose input
// was seen has something else to tell.
func (l *Loop) sawAll(h *header) (more bool) {
	b := l.stores[h.kind]
	for p := Port(0); l.peeked != 0; p++ {
		if l.peeked&(1<<p) != 0 {
			l.peeked &^= 1 << p
			if pt := b.port(h, p); pt.in != 0 {
				pt.flags |= seen
				h.flags |= unshown
				l.refresh(h, p, pt)
				more = more || h.ready&readBit(p) != 0
			}
		}
	}
	return more
}

// unsee shows all input again, and an error that was not looked at, to the state
// that is entered.
func (l *Loop) unsee(h *header) {
	l.peeked = 0
	if h.flags&unshown != 0 {
		l.showAgain(h)
	}
}

func (l *Loop) showAgain(h *header) {
	h.flags &^= unshown
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.flags&seen != 0 {
			pt.flags &^= seen
			l.refresh(h, p, pt)
		}
		if pt.flags&failing != 0 {
			h.flags |= unshown
			l.reset(h, p, pt)
		}
	}
}

// keepInput moves input out of the loop's scratch, into a chunk of its size: there is
// one, as it was promised.
func (l *Loop) keepInput(h *header) {
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.in == scratchNum {
			k := &l.pool.chunks[scratchNum]
			l.pool.promised = 0
			l.hold(pt, l.pool.get(k.w-k.r))
			return
		}
	}
}

// ReadFrom takes one datagram: what does not fit into b is lost, as the system
// has it. ErrWouldBlock when none waits. An ICMP error of one peer is not
// an error here.
func (c *IO) ReadFrom(p Port, b []byte) (int, netip.AddrPort, error) {
	pt, err := c.open(p)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	if pt.flags&kernelIn == 0 {
		return 0, netip.AddrPort{}, c.nothing(p, pt, false)
	}
	l := c.loop
	var n int
	var from driver.Addr
	var flow driver.Flow
	if l.os != nil {
		n, from, flow, err = l.os.Recv(pt.sock, b)
	} else {
		s := l.scratch(len(b))
		n, from, flow, err = l.drv.Recv(pt.sock, s)
		copy(b, s[:n])
	}
	l.came(c.h, p, pt, n, flow, err)
	if n == 0 && (flow != 0 || err != nil) {
		return 0, from.IP, c.nothing(p, pt, false)
	}
	c.h.heardAt = max(c.h.heardAt, l.now)
	c.moved()
	return n, from.IP, nil
}

// scratch lends the loop's copy buffer for one call of a driver.
func (l *Loop) scratch(n int) []byte {
	if l.copying == nil {
		l.copying = make([]byte, scratchSize)
	}
	return l.copying[:min(n, len(l.copying))]
}
