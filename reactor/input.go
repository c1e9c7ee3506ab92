package reactor

import (
	"fmt"
	"io"
	"net/netip"

	"github.com/stator-go/stator/reactor/driver"
)

// Read reads into b, which is not retained: it may lie on the stack. It returns
// ErrWouldBlock if there is nothing to read, and io.EOF at the end.
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

// Peek returns all input that is not consumed, in one piece. The bytes are valid until the
// handler returns, or calls Peek, Read, Discard, Copy or Close, for any port. Input that is
// not consumed by Discard is kept.
//
// Once a handler has seen input and consumed none of it, Peek returns ErrWouldBlock until
// more input comes, the state changes, or a Write that was refused has room. The error is
// also ErrWouldBlock while Config.Buffers has no room for more: the handler is called again
// when there is. It is ErrFull if the input fills Options.ReadBuffer, or is so much that
// Config.Buffers will never have room for more. For lack of room, no error comes before
// input that Peek has yet to return: to this state, or again after a refused Write. When no
// more will come, it is io.EOF, or io.ErrUnexpectedEOF if unconsumed input is left; after a
// refused Write the handler is shown that input once more before.
//
// On a datagram port Peek returns one datagram, cut to Options.ReadBuffer, until that is
// consumed. It skips empty datagrams; Read and ReadFrom return those, too.
func (c *IO) Peek(p Port) ([]byte, error) {
	pt, err := c.open(p)
	if err != nil {
		return nil, err
	}
	full, whole := false, pt.flags&pDatagram != 0
	if pt.flags&pKernelInput != 0 && (!whole || pt.in == 0) {
		full, err = c.fill(p, pt)
	}
	switch {
	case pt.in != 0 && (whole || pt.flags&pInputSeen == 0):
		k := &c.loop.pool.chunks[pt.in]
		c.loop.call.peeked |= 1 << p
		return k.b[k.r:k.w], nil
	case err != nil && (pt.in == 0 || c.h.flags&mRefused == 0):
		return nil, err
	}
	// After a refusal the input is shown again: until then a lack of room is no error.
	return nil, c.noInput(p, pt, full && c.h.flags&mRefused == 0)
}

// fill reads once from the kernel, to behind the input that is held. It reports whether
// the read buffer is full. The error says that Config.Buffers has no room: ErrWouldBlock
// if the machine waits for it, else ErrFull.
func (c *IO) fill(p Port, pt *port) (full bool, err error) {
	l := c.loop
	if pt.in == 0 {
		if pt.in, err = c.inputChunk(pt); err != nil {
			return false, err
		}
	}
	k := &l.pool.chunks[pt.in]
	if k.w-k.r >= c.st.opt.ReadBuffer {
		return true, nil
	}
	if k.w == len(k.b) {
		if err := c.widen(pt); err != nil {
			return false, err
		}
		k = &l.pool.chunks[pt.in]
	}
	b := k.b[k.w:min(len(k.b), k.r+c.st.opt.ReadBuffer)]
	var n int
	var flow driver.Flow
	if pt.flags&pDatagram != 0 {
		n, k.from, flow, err = l.recv(pt.sock, b) // for ReadFrom
	} else {
		n, flow, err = l.drv.Read(pt.sock, b)
	}
	if k.w += n; n > 0 {
		pt.flags &^= pInputSeen
		c.madeProgress()
	} else if k.w == k.r {
		l.pool.put(pt.in)
		pt.in = 0
		if flow == 0 && err == nil && pt.flags&pDatagram != 0 {
			c.madeProgress() // an empty datagram was skipped
		}
	}
	l.noteRead(c.h, p, pt, n, flow, err)
	return false, nil
}

// inputChunk returns a chunk for the input of a port that holds none: the loop's scratch
// chunk, or another one if that is in use by another port.
func (c *IO) inputChunk(pt *port) (n uint32, err error) {
	l := c.loop
	if !c.plenty() {
		l.flush(c.h) // what it holds less, it may read more
	}
	if pt.flags&pDatagram != 0 {
		return c.datagramChunk()
	}
	if l.pool.chunks[scratchNum].w != 0 {
		size := 1 << class(min(outChunk, c.st.opt.ReadBuffer))
		if !c.fits(size) {
			return 0, c.inputWaits(size)
		}
		return l.pool.get(size), nil
	}
	size := c.inputSize()
	if size == 0 {
		return 0, c.inputWaits(outChunk + minInput)
	}
	return l.pool.open(size), nil
}

// datagramChunk returns a chunk for one datagram. That is not cut for lack of Config.Buffers,
// as the rest would be lost: it may take more than its machine's share.
func (c *IO) datagramChunk() (uint32, error) {
	p := &c.loop.pool
	size := 1 << class(min(c.st.opt.ReadBuffer, scratchSize))
	for size > p.limit/2 {
		size /= 2
	}
	switch {
	case p.lent+p.promised+size > p.limit:
		c.loop.buffers.add(c.x, c.h, size, p.limit-size)
		return 0, ErrWouldBlock
	case p.chunks[scratchNum].w != 0:
		return p.get(size), nil
	}
	return p.open(size), nil
}

// inputWaits follows a read for which the pool has no chunk. It returns ErrWouldBlock, or
// ErrFull if the pool will never have one.
func (c *IO) inputWaits(size int) error {
	if c.loop.buffers.wait(c.x, c.h, size) {
		return ErrWouldBlock
	}
	return c.st.full.input
}

// widen makes room behind the input that is held.
func (c *IO) widen(pt *port) error {
	l := c.loop
	k := &l.pool.chunks[pt.in]
	if k.r > 0 && k.w-k.r <= len(k.b)/2 {
		k.w = copy(k.b, k.b[k.r:k.w])
		k.r = 0
		return nil
	}
	size := 1 << class(2*(k.w-k.r))
	more := size - len(k.b)
	possible := c.canReply(more)
	switch {
	case possible && c.fitsFlushed(more):
		pt.in = l.pool.move(pt.in, size)
		return nil
	case k.r > 0: // what was consumed leaves room for some
		k.w = copy(k.b, k.b[k.r:k.w])
		k.r = 0
		return nil
	case pt.flags&pInputSeen == 0: // it is shown first, and may be consumed
		return ErrWouldBlock
	case !possible:
		return c.st.full.input
	}
	return c.inputWaits(more)
}

// Discard consumes the first n bytes that Peek returned. It panics if there are fewer.
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
	c.loop.stats.consumed += uint64(n)
	if k.r == k.w {
		c.loop.pool.put(pt.in)
		pt.in = 0
	}
	c.loop.call.peeked &^= 1 << p
	pt.flags &^= pInputSeen
	c.madeProgress()
	c.loop.refresh(c.h, p, pt)
}

// noInput returns why there is no input. The end of input, and an error, count as reported
// then: the loop calls no handler for them again.
func (c *IO) noInput(p Port, pt *port, full bool) error {
	var err error
	switch {
	case pt.in != 0 && c.h.flags&mRefused != 0: // unconsumed input is shown again before the error, or the end
		return ErrWouldBlock
	case full && pt.flags&pInputSeen != 0: // before an error: there may be input between
		return fmt.Errorf("reactor: Options.ReadBuffer of %s: %d bytes are not consumed: %w", c.st.name, c.st.opt.ReadBuffer, ErrFull)
	case pt.err != 0:
		err = c.loop.errorOf(c.x, p, pt)
	case pt.flags&pReadEnded == 0:
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

// noteRead records the result of a read.
func (l *Loop) noteRead(h *header, p Port, pt *port, n int, flow driver.Flow, err error) {
	if n > 0 {
		h.activeAt = max(h.activeAt, l.turn.now)
		l.stats.in += uint64(n)
	}
	// A short read proves that a stream is empty only if nothing but bytes can wait in it.
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

// markSeen follows a call that looked at input and consumed none of it: the input is shown
// again when more comes, or in another state. It reports whether one of these ports has
// something else for the machine.
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

// showAgain shows unconsumed input again, and an error that was not asked for, as after a
// change of state.
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
		if pt.err != 0 && pt.flags&(pReported|pFailTaken) == 0 {
			h.flags |= mErrorPending // it waited behind input that this state may not read
		}
	}
}

// leaveScratch moves input out of the loop's scratch chunk, into one of its size. There is
// one, as pool.open promised it.
func (l *Loop) leaveScratch(h *header) {
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.in == scratchNum {
			k := &l.pool.chunks[scratchNum]
			pt.in = l.pool.move(pt.in, k.w-k.r)
			return
		}
	}
}

// ReadFrom reads one datagram, and returns its sender. The part that does not fit into b is
// lost. The error is ErrWouldBlock if there is none. An ICMP error of one peer is not an
// error here.
func (c *IO) ReadFrom(p Port, b []byte) (int, netip.AddrPort, error) {
	pt, err := c.open(p)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	l := c.loop
	switch {
	case pt.flags&pDatagram == 0:
		return 0, netip.AddrPort{}, fmt.Errorf("reactor: ReadFrom of %s: a stream has no datagrams: want Read or Peek: %w", c.st.name, ErrUnsupported)
	case pt.in != 0: // Peek holds it
		k := &l.pool.chunks[pt.in]
		n, from := copy(b, k.b[k.r:k.w]), k.from
		c.consume(p, pt, k, k.w-k.r)
		return n, from, nil
	case pt.flags&pKernelInput == 0:
		return 0, netip.AddrPort{}, c.noInput(p, pt, false)
	}
	n, from, flow, err := l.recv(pt.sock, b)
	l.noteRead(c.h, p, pt, n, flow, err)
	if n == 0 && (flow != 0 || err != nil) {
		return 0, from, c.noInput(p, pt, false)
	}
	c.h.activeAt = max(c.h.activeAt, l.turn.now)
	c.madeProgress()
	return n, from, nil
}
