package reactor

import (
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// lingerPoll is how often a stopping machine asks whether its peer has everything: there is
// no event for that.
const lingerPoll = 20 * time.Millisecond

// drainPorts closes the ports of a stopping machine whose output has been sent. If a peer
// still sends, a reset would destroy that output: its input is read and dropped, until it
// ends or Linger does. A port that is not connected yet stays if there is output for it.
func (l *Loop) drainPorts(x uint32, h *header) {
	b := l.stores[h.kind]
	left := false
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.flags&pOpen == 0 {
			continue
		}
		l.drain(h, p, pt)
		fragile := l.closeLosesOutput(pt)
		if fragile {
			// A peer that writes before it reads takes output only when its own is read.
			l.discard(h, p, pt)
		}
		if pt.err == 0 && (pt.out != 0 || l.mustLinger(pt)) {
			if left = true; fragile && pt.flags&pKernelInput != 0 {
				l.queue.push(x, h) // there is more input than one call discards
			}
			continue
		}
		l.closePort(x, h, p, pt)
	}
	if !left {
		l.end(x, h)
	} else if h.flags&mDead == 0 {
		h.flags &^= mRearm
		l.wheel.Add(timerOf(x), min(h.withinAt, after(l.drv.Now(), lingerPoll)))
	}
}

// closeLosesOutput reports whether input that comes to the closed socket makes the peer's
// kernel drop output that was sent, or report a reset before it.
func (l *Loop) closeLosesOutput(pt *port) bool {
	return pt.flags&(pConnecting|pResolving) == 0 && l.hasConnection(pt) && l.drv.Traits(pt.sock)&driver.KeepsOutput == 0
}

// discard drops input of a stopping machine.
func (l *Loop) discard(h *header, p Port, pt *port) {
	for tries := 0; pt.flags&pKernelInput != 0 && tries < 16; tries++ {
		n, flow, err := l.drv.Read(pt.sock, l.scratch.lend(scratchSize))
		if l.noteRead(h, p, pt, n, flow, err); n > 0 {
			pt.flags |= pUploading
		}
	}
}

// mustLinger reports whether a port without output has to stay open, as more input may come.
func (l *Loop) mustLinger(pt *port) bool {
	if !l.closeLosesOutput(pt) {
		return false
	}
	if pt.flags&pReadEnded != 0 || pt.err != 0 || pt.flags&pUploading == 0 && !l.drv.Unacked(pt.sock) {
		return false
	}
	pt.flags |= pLingering | pShutWanted
	l.shutIfDrained(pt)
	return true
}
