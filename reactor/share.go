package reactor

// A machine's share of Config.Buffers: what its ports have borrowed from the pool, and how
// much more they may. The rules are in pool.go; how a machine waits is in bufferwait.go.

// borrowed returns the bytes of chunks that a machine's ports have for input and for output.
func (b *base) borrowed(h *header) (in, out int) {
	chunks := b.loop.pool.chunks
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.in != 0 {
			in += len(chunks[pt.in].b)
		}
		if pt.out != 0 {
			out += chunks[pt.out].r + chunks[pt.out].total + b.loop.unused(pt)
		}
	}
	return in, out
}

// unused returns how many bytes the last chunk of a port's output has room for.
func (l *Loop) unused(pt *port) int {
	if pt.out == 0 {
		return 0
	}
	last := &l.pool.chunks[l.pool.chunks[pt.out].last]
	return len(last.b) - last.w
}

// plentyOf returns how much may be lent for whatever a machine borrows to be within its share.
// Most loops never lend as much, and need not look at what a machine has.
func plentyOf(limit int, o *Options) int {
	in := 4*int64(o.ReadBuffer) + scratchSize // a chunk may be filled by half
	out := int64(o.WriteBuffer) + 2*outChunk  // the first chunk, and the last one, may be filled in part
	most := int64(len(o.Ports)) * (in + out)
	return int(max(-1, int64(limit/2)-2*most))
}

// setBuffers changes Config.Buffers. Machines that wait for buffers may have some now.
func (l *Loop) setBuffers(bytes int) {
	l.pool.limit = bytes
	for _, b := range l.stores {
		b.plenty = plentyOf(bytes, b.opt)
	}
	l.buffers.retry()
}

// plenty reports whether a machine may borrow as much as its Options allow.
func (c *IO) plenty() bool { return c.loop.pool.lent+c.loop.pool.promised <= c.st.plenty }

// outputRoom returns how many more bytes of output Config.Buffers has for a port, at least
// up to Options.WriteBuffer.
func (c *IO) outputRoom(pt *port) int {
	if c.plenty() {
		return c.st.opt.WriteBuffer
	}
	return c.outputShare(pt)
}

// outputShare counts whole chunks, as output is held in those.
func (c *IO) outputShare(pt *port) int {
	in, out := c.st.borrowed(c.h)
	return c.loop.pool.room(in+out)&^(outChunk-1) + c.loop.unused(pt)
}

// inputSize returns how much the machine may read to a port that holds no input: 0 if it
// has to wait.
func (c *IO) inputSize() int {
	if c.plenty() {
		return scratchSize
	}
	in, out := c.st.borrowed(c.h)
	return c.loop.pool.inputSize(in + out)
}

// canReply reports whether the machine may ever write if it borrows size more bytes for
// input. If not, it would wait for room that only its own input could make.
func (c *IO) canReply(size int) bool {
	if c.plenty() {
		return true
	}
	in, _ := c.st.borrowed(c.h)
	return c.loop.pool.ceiling(in+size, outChunk) >= in+size
}

// fitsFlushed reports whether the machine may borrow size more bytes, if need be after its
// output has been sent.
func (c *IO) fitsFlushed(size int) bool {
	if c.fits(size) {
		return true
	}
	c.loop.flush(c.h)
	return c.fits(size)
}

// fits reports whether the machine may borrow size more bytes.
func (c *IO) fits(size int) bool {
	if c.plenty() {
		return true
	}
	in, out := c.st.borrowed(c.h)
	return c.loop.pool.fits(in+out, size)
}
