package reactor

import (
	"fmt"
	"net/netip"

	"github.com/stator-go/stator/reactor/driver"
)

// directly is the size from which a write goes to the kernel without a copy.
const directly = 16 << 10

// Write sends b when the machine's run ends, and holds what the kernel does not take. The
// run is the calls of the machine in this turn of the loop, for events, messages and timers:
// what they write to a port is one system call. A write of 16 KiB or more goes out at once,
// if the kernel takes what was written before. b is not retained.
//
// The error is ErrFull if b does not fit: Options.WriteBuffer bounds what a port holds,
// Config.Buffers what all ports hold, and each machine's share of that. Then nothing of b is
// taken. A handler that returns fsm.Stay, and does not consume the input that it wanted to
// reply to, is called again when there is room. After CloseWrite the error is ErrClosed.
//
// Errors of the connection are sticky; they lead to the row's Fail if they are passed to
// IO.Fail, or if they come later. But input that arrived before the error is read first, if
// the row waits for it: until then Write drops b, as the network would, and returns nil.
//
// On a datagram port, b is one datagram to the peer that was dialled. It is sent or refused
// at once: the error is ErrWouldBlock if there is no room, and no error is sticky.
func (c *IO) Write(p Port, b []byte) error {
	pt, err := c.writable(p)
	if err != nil || pt.err != 0 {
		return err // nil: dropped
	}
	l := c.loop
	if pt.flags&pDatagram != 0 {
		return c.sendDatagram(p, pt, b)
	}
	if err := c.makeRoom(p, pt, len(b)); err != nil || pt.err != 0 {
		return err
	}
	c.madeProgress()
	switch {
	case len(b) == 0:
		return nil
	case len(b) >= directly && pt.out == 0 && pt.flags&(pConnecting|pResolving) == 0:
		if l.send(c.h, p, pt, b); pt.err != 0 {
			return c.broken(p, pt)
		}
		return nil
	}
	l.append(c.h, pt, b)
	c.h.ready &^= drainBit(p)
	l.updateRoom(c.h, p, pt)
	return nil
}

// makeRoom makes sure that size bytes fit behind the output of a port. Output that no send
// was tried for is sent before b is refused: no event would follow.
func (c *IO) makeRoom(p Port, pt *port, size int) error {
	l := c.loop
	if pt.out != 0 && (size >= directly || l.held(pt)+size > c.st.opt.WriteBuffer) {
		if l.flush(c.h); pt.err != 0 {
			return c.broken(p, pt)
		}
	}
	if held := l.held(pt); held+size > c.st.opt.WriteBuffer {
		if l.stats.writeBufferFull++; held > 0 { // else there will never be more room
			c.h.flags |= mRefused
		}
		return c.st.full.writeBuffer
	}
	if size <= c.outputRoom(pt) {
		return nil
	}
	if l.flushAll(c.h); pt.err != 0 {
		return c.broken(p, pt)
	}
	if size > c.outputRoom(pt) {
		l.stats.writeBufferFull++
		c.outputWaits(p, pt, size)
		return c.st.full.buffers
	}
	return nil
}

// outputWaits follows a write for which the pool has no chunks: the gate Room is closed
// until it has. For more than the pool ever has, the gate would never open again.
func (c *IO) outputWaits(p Port, pt *port, size int) {
	size -= c.loop.unused(pt)
	if c.loop.buffers.wait(c.x, c.h, (size+outChunk-1)&^(outChunk-1)) {
		c.h.gates &^= 1 << p
	}
}

// sendDatagram sends b whole, or not at all: datagrams are not held, as they may be lost and
// must not be joined. Its errors are not the end of the port.
func (c *IO) sendDatagram(p Port, pt *port, b []byte) error {
	l := c.loop
	if c.h.ready&writeBit(p) == 0 {
		c.h.flags |= mRefused
		return ErrWouldBlock
	}
	n, flow, err := l.write(pt.sock, b)
	if l.noteWrite(c.h, p, n, flow); err != nil {
		return err
	}
	if flow&driver.WriteBlocked != 0 {
		c.h.flags |= mRefused
		return ErrWouldBlock
	}
	c.madeProgress()
	return nil
}

// WriteSome writes to the kernel at once, without the write buffer, and returns how many
// bytes it took. The error is ErrWouldBlock if it took none, also because earlier output
// is still held; wait for Writable then.
func (c *IO) WriteSome(p Port, b []byte) (int, error) {
	pt, err := c.writable(p)
	switch {
	case err != nil || len(b) == 0:
		return 0, err
	case pt.err != 0:
		return len(b), nil // dropped
	}
	l := c.loop
	if pt.flags&pDatagram != 0 {
		if err := c.sendDatagram(p, pt, b); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	if l.flush(c.h); pt.err != 0 {
		return dropped(b, c.broken(p, pt))
	}
	if pt.out != 0 || c.h.ready&writeBit(p) == 0 {
		c.h.flags |= mRefused
		return 0, ErrWouldBlock
	}
	n, flow, err := l.write(pt.sock, b)
	if l.noteWrite(c.h, p, n, flow); err != nil {
		l.setError(pt, err)
		return dropped(b, c.broken(p, pt))
	}
	if n == 0 {
		c.h.flags |= mRefused
		return 0, ErrWouldBlock
	}
	c.madeProgress()
	return n, nil
}

// dropped is what WriteSome returns after a write to a broken port returned err.
func dropped(b []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// writable returns a port that can be written to. If the port is broken, and no error is
// returned, output for it is to be dropped.
func (c *IO) writable(p Port) (*port, error) {
	pt, err := c.open(p)
	switch {
	case err != nil:
		return nil, err
	case pt.err != 0:
		if err := c.broken(p, pt); err != nil {
			return nil, err
		}
	case pt.flags&pShutWanted != 0:
		return nil, fmt.Errorf("reactor: write after CloseWrite: %w", ErrClosed)
	}
	return pt, nil
}

// broken returns what a write to a broken port returns. It is the error; then the loop does
// not take the Fail edge for it any more. But if input that came before the
// error is to be read first, the output is dropped, as the network would drop it, and the
// error follows the input.
func (c *IO) broken(p Port, pt *port) error {
	if pt.flags&(pReported|pFailTaken) == 0 && c.loop.errorFollowsInput(c.h, p, pt) {
		c.h.flags |= mReshow
		return nil
	}
	pt.flags |= pFailTaken
	return c.loop.errorOf(c.x, p, pt)
}

// SendTo sends one datagram to an address. If the system has no room for it, it is dropped,
// as networks do, and the error is ErrWouldBlock. Other errors are this datagram's, not the
// port's: passed to IO.Fail, they would end a server because of one peer.
func (c *IO) SendTo(p Port, b []byte, to netip.AddrPort) error {
	pt, err := c.writable(p)
	if err != nil {
		return err
	}
	switch {
	case pt.flags&pDatagram == 0:
		return fmt.Errorf("reactor: SendTo of %s: a stream has one peer: want Write: %w", c.st.name, ErrUnsupported)
	case pt.sock == 0: // its name is being looked up
		return ErrWouldBlock
	}
	l := c.loop
	n, flow, err := l.sendTo(pt.sock, b, to)
	if l.noteWrite(c.h, p, n, flow); err != nil {
		return err
	}
	if flow&driver.WriteBlocked != 0 {
		return ErrWouldBlock
	}
	c.madeProgress()
	return nil
}

// Copy moves input of one port to the write buffer of another one, as much as there is and
// has room, at most 64 KiB per call. Input that was consumed and not sent is never lost. To a
// datagram port it goes as one datagram, or not at all. The error is ErrWouldBlock if there
// is no input or no room, io.EOF at the end of from, or one of Write.
func (c *IO) Copy(to, from Port) (int, error) {
	src, err := c.open(from)
	if err != nil {
		return 0, err
	}
	l := c.loop
	dst, err := c.writable(to)
	if err != nil {
		return 0, err
	}
	if src.in == 0 && (src.flags|dst.flags)&pDatagram != 0 { // a datagram must not be cut: it is held until it can be sent
		if _, err := c.Peek(from); err != nil {
			return 0, err
		}
	}
	room := min(c.st.opt.WriteBuffer-l.held(dst), c.outputRoom(dst), scratchSize)
	if room < l.held(dst) && c.h.flags&mUnsent != 0 { // a larger read is worth a send
		l.flush(c.h)
		room = min(c.st.opt.WriteBuffer-l.held(dst), c.outputRoom(dst), scratchSize)
	}
	switch {
	case dst.err != 0:
		room = scratchSize // it is dropped
	case dst.flags&pDatagram != 0:
		room = c.st.opt.ReadBuffer // the whole datagram: the other side holds nothing
	}
	switch {
	case src.in == 0 && src.flags&pKernelInput == 0:
		return 0, c.noInput(from, src, false)
	case room <= 0:
		if c.h.flags |= mRefused; c.outputRoom(dst) == 0 {
			c.outputWaits(to, dst, 1)
		}
		return 0, ErrWouldBlock
	case src.in != 0:
		k := &l.pool.chunks[src.in]
		b := k.b[k.r:min(k.w, k.r+room)]
		if err := c.Write(to, b); err != nil {
			return 0, err
		}
		c.Discard(from, len(b))
		return len(b), nil
	}
	b := l.scratch.relay(room)
	n, flow, err := l.drv.Read(src.sock, b)
	if l.noteRead(c.h, from, src, n, flow, err); n == 0 {
		return 0, c.noInput(from, src, false)
	}
	c.madeProgress()
	return n, c.Write(to, b[:n])
}

// held returns how many bytes of output a port holds.
func (l *Loop) held(pt *port) int {
	if pt.out == 0 {
		return 0
	}
	return l.pool.chunks[pt.out].total
}

// updateRoom opens or closes the gate Room, which is open below half of the write buffer.
func (l *Loop) updateRoom(h *header, p Port, pt *port) {
	if held := l.held(pt); held == 0 || held < (l.stores[h.kind].opt.WriteBuffer+1)/2 {
		h.gates |= 1 << p
	} else {
		h.gates &^= 1 << p
	}
}

// updateRooms does so for all ports of a machine.
func (l *Loop) updateRooms(h *header) {
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		l.updateRoom(h, p, b.port(h, p))
	}
}

// send writes b to the kernel, and holds the rest. Earlier output has been sent.
func (l *Loop) send(h *header, p Port, pt *port, b []byte) error {
	for len(b) > 0 && h.ready&writeBit(p) != 0 {
		n, flow, err := l.write(pt.sock, b)
		if l.noteWrite(h, p, n, flow); err != nil {
			l.setError(pt, err)
			return err
		}
		if b = b[n:]; n == 0 && flow == 0 {
			break
		}
	}
	if len(b) > 0 {
		l.append(h, pt, b)
		h.ready &^= drainBit(p)
		l.updateRoom(h, p, pt)
	} else {
		h.ready |= drainBit(p)
		if pt.flags&pShutWanted != 0 {
			l.shutIfDrained(pt)
		}
	}
	return nil
}

// noteWrite records the result of a write.
func (l *Loop) noteWrite(h *header, p Port, n int, flow driver.Flow) {
	l.stats.out += uint64(n)
	if flow&driver.WriteBlocked != 0 {
		h.ready &^= writeBit(p)
	}
}

// append holds b behind the output of a port, to be sent when the run ends. Write has made
// sure that it fits.
func (l *Loop) append(h *header, pt *port, b []byte) {
	if h.flags&mUnsent == 0 {
		h.flags |= mUnsent
		l.turn.unsent++
	}
	for len(b) > 0 {
		if pt.out == 0 {
			if pt.out = l.pool.get(outChunk); pt.out == 0 {
				l.setError(pt, ErrFull)
				return
			}
			k := &l.pool.chunks[pt.out]
			k.last, k.movedAt = pt.out, unsent
		}
		first := &l.pool.chunks[pt.out]
		k := &l.pool.chunks[first.last]
		if k.w == len(k.b) {
			n := l.pool.get(outChunk)
			if n == 0 {
				l.setError(pt, ErrFull)
				return
			}
			first = &l.pool.chunks[pt.out]
			l.pool.chunks[first.last].next = n
			first.last = n
			k = &l.pool.chunks[n]
		}
		n := copy(k.b[k.w:], b)
		k.w += n
		first.total += n
		b = b[n:]
	}
}

// flush sends what a machine wrote since its last flush.
func (l *Loop) flush(h *header) {
	if h.flags&mUnsent != 0 {
		l.flushPorts(h)
	}
}

func (l *Loop) flushPorts(h *header) {
	h.flags &^= mUnsent
	l.turn.unsent--
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		if pt := b.port(h, p); pt.out != 0 {
			l.drain(h, p, pt)
		}
	}
}

// flushAll does so for all machines: for the one that runs, and for those that wait for
// their run.
func (l *Loop) flushAll(h *header) {
	l.flush(h)
	for x := l.queue.first; x != 0 && l.turn.unsent > 0; {
		queued := l.slots.At(x - 1)
		l.flush(queued)
		x = queued.next
	}
}

// drain sends the output that a port holds, until the kernel takes no more.
func (l *Loop) drain(h *header, p Port, pt *port) {
	first := pt.out != 0 && l.pool.chunks[pt.out].movedAt == unsent
	for pt.out != 0 && h.ready&writeBit(p) != 0 && pt.err == 0 {
		n, flow, err := l.writeHeld(pt)
		l.noteWrite(h, p, n, flow)
		l.release(pt, n)
		if h.flags&mStopping != 0 && pt.flags&pReadEnded == 0 {
			pt.flags |= pKernelInput // input may have come before its event: it is dropped before the port closes
		}
		if err != nil {
			l.setError(pt, err)
			if pt.flags&pReported == 0 {
				h.flags |= mErrorPending
			}
			break
		}
		if n == 0 && flow == 0 {
			break
		}
	}
	if pt.err != 0 {
		l.dropOutput(pt)
	}
	if pt.out == 0 {
		h.ready |= drainBit(p)
		l.shutIfDrained(pt)
	} else if first { // Stall begins now
		l.pool.chunks[pt.out].movedAt = l.drv.Now()
		h.flags |= mRearm
	}
	if h.flags&mWaitsForBuffers != 0 {
		l.updateRooms(h) // it holds less now, and may have more of Config.Buffers, for any port
		return
	}
	l.updateRoom(h, p, pt)
}

// writeHeld makes one system call with the first output that a port holds.
func (l *Loop) writeHeld(pt *port) (int, driver.Flow, error) {
	v := &l.scratch.vec
	v.N = 0
	for n := pt.out; n != 0 && v.N < driver.MaxVec; n = l.pool.chunks[n].next {
		k := &l.pool.chunks[n]
		v.B[v.N] = k.b[k.r:k.w]
		v.N++
	}
	return l.drv.Writev(pt.sock, v)
}

// release gives back the first n bytes of held output, which were sent.
func (l *Loop) release(pt *port, n int) {
	if n == 0 {
		return
	}
	for n > 0 {
		k := &l.pool.chunks[pt.out]
		took := min(n, k.w-k.r)
		k.r += took
		k.total -= took
		n -= took
		if k.r == k.w {
			l.pop(pt)
		}
	}
	if pt.out != 0 {
		l.pool.chunks[pt.out].movedAt = l.drv.Now()
	}
}

// pop gives back the first chunk of output. The figures of the list move to the next one.
func (l *Loop) pop(pt *port) {
	k := l.pool.chunks[pt.out]
	l.pool.put(pt.out)
	if pt.out = k.next; pt.out != 0 {
		first := &l.pool.chunks[pt.out]
		first.last, first.total, first.movedAt = k.last, k.total, k.movedAt
	}
}

// dropOutput forgets the output that a port holds.
func (l *Loop) dropOutput(pt *port) {
	for pt.out != 0 {
		l.pop(pt)
	}
}

// shutIfDrained ends the output of a port after CloseWrite, once everything is sent.
func (l *Loop) shutIfDrained(pt *port) {
	if pt.flags&(pShutWanted|pShut|pConnecting|pResolving) == pShutWanted && pt.out == 0 {
		pt.flags |= pShut
		if err := l.drv.Shutdown(pt.sock, driver.ShutWrite); err != nil {
			l.setError(pt, err)
		}
	}
}
