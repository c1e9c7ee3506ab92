package reactor

import (
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
)

// port is a machine's end of a descriptor: 16 bytes, without pointers. The bytes that it holds
// are in the loop's pool.
type port struct {
	sock  driver.Sock
	in    uint32 // the chunk with input that is not consumed; 0: none
	out   uint32 // the first chunk of output that is not sent; 0: none
	flags portFlags
	gen   uint8 // 6 bits, incremented by each close
	err   uint8 // what broke it, as a number of Loop.errs; 0: nothing
}

// portFlags are conditions of a port.
type portFlags uint16

const (
	pOpen        portFlags = 1 << iota
	pConnecting            // until FinishConnect succeeds
	pResolving             // its name is being looked up: there is no socket yet
	pKernelInput           // the kernel may have input: cleared only by a Flow
	pInputSeen             // the handler has seen all that is held, and consumed nothing
	pReadEnded             // the peer has ended its direction
	pReported              // the end, or the error, was returned to the machine
	pHangup                // a hang-up, an error or an urgent byte came: a short read proves nothing
	pShutWanted            // CloseWrite was called: its output ends when everything is sent
	pShut                  // its output has ended
	pDatagram              // a read or write is one message
	pLingering             // its machine has stopped: input is discarded until the peer has what was sent
	pUploading             // input came while lingering: until its end
	pErrorEvent            // an error event came, and no call has returned the error yet
	pFailTaken             // the Fail edge was taken for its error, or a write returned it
)

// port returns a port of a machine.
func (b *base) port(h *header, p Port) *port {
	return &b.ports[h.local*b.nports+uint32(p)]
}

// eventData returns what the socket of a machine's port is registered with.
func eventData(t Token, p Port, gen uint8) driver.EventData {
	return driver.PortEvent(t.Generation(), t.Index(), uint8(p), gen)
}

// attach puts a socket under a port, and starts its events.
func (l *Loop) attach(x uint32, h *header, p Port, s driver.Sock, flags portFlags) error {
	pt := l.stores[h.kind].port(h, p)
	traits := l.drv.Traits(s)
	if traits&driver.Datagram != 0 {
		flags |= pDatagram
	}
	*pt = port{sock: s, flags: pOpen | flags, gen: pt.gen}
	if err := l.drv.Register(s, eventData(l.slots.TokenAt(x), p, pt.gen)); err != nil {
		l.drv.Close(s)
		*pt = port{gen: pt.gen}
		return err
	}
	if flags&pConnecting == 0 {
		l.opened(h, p, pt, traits)
	}
	return nil
}

// opened makes a connected port ready: the first read or write finds out what is. What no
// read can find out, an event says.
func (l *Loop) opened(h *header, p Port, pt *port, traits driver.Traits) {
	pt.flags &^= pConnecting | pResolving
	h.ready |= openBit(p) | drainBit(p)
	if traits&driver.ReadOnly == 0 {
		h.ready |= writeBit(p)
	}
	if traits&(driver.WriteOnly|driver.EventFirst) == 0 {
		pt.flags |= pKernelInput
	}
	l.refresh(h, p, pt)
	l.drain(h, p, pt)
}

// refresh computes the readable bit from what the kernel and the port have.
func (l *Loop) refresh(h *header, p Port, pt *port) {
	readable := pt.flags&pKernelInput != 0 ||
		pt.in != 0 && pt.flags&pInputSeen == 0 ||
		(pt.flags&pReadEnded != 0 || pt.err != 0) && pt.flags&pReported == 0
	if readable && pt.flags&(pOpen|pConnecting|pResolving) == pOpen {
		h.ready |= readBit(p)
	} else {
		h.ready &^= readBit(p)
	}
}

// setError makes an error sticky, unless there is one already.
func (l *Loop) setError(pt *port, err error) {
	if pt.err == 0 {
		pt.err = l.errs.hold(err)
		pt.flags &^= pReported // it was the end of input that had been reported
	}
}

// Errors come in their place: what arrived before an error is read first. So an error that
// is found by a write, or by an event, waits behind input that is left, if the state of the
// machine reads that port. A read returns it in the end. If there is no input, or the state
// does not read, the machine takes its Fail edge at once; the state that this leads to may
// read what is left.

// errorFollowsInput reports whether the state of a machine reads a broken port, and input
// that came before the error is left.
func (l *Loop) errorFollowsInput(h *header, p Port, pt *port) bool {
	if l.stores[h.kind].rows[h.state].wait&fsm.Ready(readBit(p)) == 0 || pt.sock == 0 { // its name was not found
		return false
	}
	if pt.in == 0 && pt.flags&pReadEnded == 0 && !l.pull(h, p, pt) {
		return true
	}
	return pt.in != 0 && (pt.flags&(pInputSeen|pKernelInput) != pInputSeen || h.flags&mRefused != 0)
}

// pull reads once from a broken port, to find out whether there is input: an event for it
// may still be to come. It returns false if it could not try, as Config.Buffers has no room
// for the machine, or as a message might be cut.
func (l *Loop) pull(h *header, p Port, pt *port) bool {
	if pt.flags&pDatagram != 0 {
		return false
	}
	l.flush(h) // it may be what there is no room for
	if in, out := l.stores[h.kind].borrowed(h); !l.pool.fits(in+out, outChunk) {
		return false
	}
	to := l.pool.get(outChunk)
	k := &l.pool.chunks[to]
	n, flow, err := l.drv.Read(pt.sock, k.b)
	if n > 0 {
		k.w, pt.in = n, to
		pt.flags |= pKernelInput
		h.flags &^= mNoProgress // a handler that waits for Config.Buffers has yet to see it
	} else {
		l.pool.put(to)
	}
	l.noteRead(h, p, pt, n, flow, err)
	return true
}

// hasConnection reports whether errors of the port are those of a connection, and not of one
// datagram.
func (l *Loop) hasConnection(pt *port) bool {
	return pt.flags&pDatagram == 0 || l.drv.Traits(pt.sock)&driver.Sequenced != 0
}

// closePort closes a port. Later events of its socket have an old generation. If output is
// lost, the peer is to find a reset: a clean end would make it take a part for the whole.
func (l *Loop) closePort(x uint32, h *header, p Port, pt *port) {
	cut := h.flags&mCut != 0 || pt.out != 0
	l.dropOutput(pt)
	if pt.in != 0 {
		l.pool.put(pt.in)
	}
	if pt.flags&(pResolving|pConnecting) != 0 || pt.err != 0 {
		l.dials.forget(dialKey{l.slots.TokenAt(x), p})
	}
	if pt.sock != 0 {
		if cut {
			l.drv.Reset(pt.sock)
		} else {
			l.drv.Close(pt.sock)
		}
		l.acceptor.resume()
	}
	l.errs.drop(pt.err)
	*pt = port{gen: driver.NextPortGen(pt.gen)}
	h.ready &^= readBit(p) | writeBit(p) | drainBit(p) | openBit(p)
	h.gates |= 1 << p
}
