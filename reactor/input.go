package reactor

import (
	"fmt"
	"io"
	"net/netip"

	"github.com/stator-go/stator/reactor/driver"
)

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
	if pt.flags&pKernelInput == 0 {
		return 0, c.noInput(p, pt, false)
	}
	n, flow, err := l.read(pt.sock, b)
	l.noteRead(c.h, p, pt, n, flow, err)
	if n == 0 && (pt.flags&pDatagram == 0 || flow != 0 || err != nil) {
		return 0, c.noInput(p, pt, false)
	}
	c.madeProgress()
	return n, nil
}

// Peek is all input that is not consumed, in one piece, valid until the handler
// answers, discards, copies or closes, or peeks again, at whatever port; what it
// leaves is kept. ErrWouldBlock when nothing came since the last look, or while
// Config.Buffers has no room for it; ErrFull when what is held fills Options.ReadBuffer,
// or can't grow for want of Buffers; io.EOF, or with input left io.ErrUnexpectedEOF,
// when nothing more will come: behind a refused Write not before what was left is shown
// again.
//
// On a datagram port it is one datagram, cut to Options.ReadBuffer, until that is consumed;
// empty ones are passed over. Read and ReadFrom show those, too.
func (c *IO) Peek(p Port) ([]byte, error) {
	pt, err := c.open(p)
	if err != nil {
		return nil, err
	}
	full, whole := false, pt.flags&pDatagram != 0
	if pt.flags&pKernelInput != 0 && (!whole || pt.in == 0) {
		if full, err = c.fill(p, pt); err != nil {
			return nil, err
		}
	}
	if pt.in != 0 && (whole || pt.flags&pInputSeen == 0) {
		k := &c.loop.pool.chunks[pt.in]
		c.loop.call.peeked |= 1 << p
		return k.b[k.r:k.w], nil
	}
	return nil, c.noInput(p, pt, full)
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
	if k.w-k.r >= c.st.opt.ReadBuffer {
		return true, nil
	}
	if k.w == len(k.b) && !c.widen(pt) {
		return false, fmt.Errorf("reactor: input of %s: Config.Buffers: %w", c.st.name, ErrFull)
	}
	k = &l.pool.chunks[pt.in]
	n, flow, err := l.drv.Read(pt.sock, k.b[k.w:min(len(k.b), k.r+c.st.opt.ReadBuffer)])
	if k.w += n; n > 0 {
		pt.flags &^= pInputSeen
		c.madeProgress()
	} else if k.w == k.r {
		l.pool.put(pt.in)
		pt.in = 0
		if flow == 0 && err == nil && pt.flags&pDatagram != 0 {
			c.madeProgress() // an empty datagram has gone by
		}
	}
	l.noteRead(c.h, p, pt, n, flow, err)
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
			l.buffers.wait(c.x, c.h, 2*minInput)
		}
		return n
	}
	return c.takeChunk(min(outChunk, c.st.opt.ReadBuffer))
}

func (c *IO) takeChunk(size int) uint32 {
	n := c.loop.pool.get(size)
	if n == 0 {
		c.loop.buffers.wait(c.x, c.h, 1<<class(size))
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
	l.moveInput(pt, n)
	return true
}

// moveInput moves the input that a port holds to another chunk.
func (l *Loop) moveInput(pt *port, to uint32) {
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
	c.loop.call.peeked &^= 1 << p
	pt.flags &^= pInputSeen
	c.madeProgress()
	c.loop.refresh(c.h, p, pt)
}

// noInput says why there is no input. The end, and an error, are told once by a
// call of the loop's, and again to whoever asks again.
func (c *IO) noInput(p Port, pt *port, full bool) error {
	var err error
	switch {
	case pt.err != 0:
		err = c.loop.errs.of(pt.err)
	case full && pt.flags&pInputSeen != 0:
		return fmt.Errorf("reactor: Options.ReadBuffer of %s: %d bytes are not consumed: %w", c.st.name, c.st.opt.ReadBuffer, ErrFull)
	case pt.flags&pReadEnded == 0 || pt.in != 0 && c.h.flags&mRefused != 0: // what is left is shown again before the end is told
		return ErrWouldBlock
	case pt.in != 0:
		err = io.ErrUnexpectedEOF
	default:
		err = io.EOF
	}
	pt.flags |= pReported
	c.loop.refresh(c.h, p, pt)
	return err
}

// noteRead notes what a read learned.
func (l *Loop) noteRead(h *header, p Port, pt *port, n int, flow driver.Flow, err error) {
	if n > 0 {
		h.activeAt = max(h.activeAt, l.turn.now)
		l.stats.in += uint64(n)
	}
	// A short read proves a drained stream only if nothing but bytes can wait in it.
	if flow&driver.ReadBlocked != 0 && (n == 0 || pt.flags&pHangup == 0) {
		pt.flags &^= pKernelInput
	}
	if flow&(driver.ReadEnded|driver.BothEnded) != 0 {
		pt.flags = pt.flags&^pKernelInput | pReadEnded
	}
	if err != nil {
		pt.flags &^= pKernelInput
		l.setError(pt, err)
	}
	l.refresh(h, p, pt)
}

// markSeen follows a call that looked at input and took none of it: it is shown
// again when more comes, or to another state. It tells whether a port whose input
// was seen has something else to tell.
func (l *Loop) markSeen(h *header) (more bool) {
	b := l.stores[h.kind]
	for p := Port(0); l.call.peeked != 0; p++ {
		if l.call.peeked&(1<<p) != 0 {
			l.call.peeked &^= 1 << p
			if pt := b.port(h, p); pt.in != 0 {
				pt.flags |= pInputSeen
				h.flags |= mReshow
				l.refresh(h, p, pt)
				more = more || h.ready&readBit(p) != 0
			}
		}
	}
	return more
}

// showAgain shows all input again, and an error that was not looked at, to the state
// that is entered.
func (l *Loop) showAgain(h *header) {
	l.call.peeked = 0
	if h.flags&mReshow != 0 {
		l.showAgainSlow(h)
	}
}

func (l *Loop) showAgainSlow(h *header) {
	h.flags &^= mReshow
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.flags&pInputSeen != 0 {
			pt.flags &^= pInputSeen
			l.refresh(h, p, pt)
		}
		if pt.flags&pErrorEvent != 0 {
			h.flags |= mReshow
			l.checkError(h, p, pt)
		}
	}
}

// leaveScratch moves input out of the loop's scratch, into a chunk of its size: there is
// one, as it was promised.
func (l *Loop) leaveScratch(h *header) {
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.in == scratchNum {
			k := &l.pool.chunks[scratchNum]
			l.pool.promised = 0
			l.moveInput(pt, l.pool.get(k.w-k.r))
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
	if pt.flags&pKernelInput == 0 {
		return 0, netip.AddrPort{}, c.noInput(p, pt, false)
	}
	l := c.loop
	n, from, flow, err := l.recv(pt.sock, b)
	l.noteRead(c.h, p, pt, n, flow, err)
	if n == 0 && (flow != 0 || err != nil) {
		return 0, from, c.noInput(p, pt, false)
	}
	c.h.activeAt = max(c.h.activeAt, l.turn.now)
	c.madeProgress()
	return n, from, nil
}
