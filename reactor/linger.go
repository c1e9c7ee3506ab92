package reactor

import (
	"errors"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// A stopping machine has run its last handler. Its ports stay open until their output has
// been sent, within Options.Linger.
//
// A socket that is closed with unread input, or that gets some after it was closed, answers
// with a reset, which destroys output that the peer does not have yet. So a port whose peer
// still sends, or has not acknowledged everything, ends its own direction first, and reads
// and drops input until the peer ends, too.

// The bounds of a stopping machine.
const (
	maxDiscard     = 256 << 10              // bytes of input that it drops after its peer has everything; then it resets
	discardPerCall = 64 << 10               // bytes that it drops in one call
	discardPerTurn = 256 << 10              // bytes that all machines drop in a turn
	minLingerPoll  = 20 * time.Millisecond  // how often it asks whether its peer has everything,
	maxLingerPoll  = 500 * time.Millisecond // as no event says that: less often the longer it waits
)

// beginLinger prepares the ports of a machine that has just stopped.
func (l *Loop) beginLinger(h *header) {
	b := l.stores[h.kind]
	h.withinAt = after(l.drv.Now(), b.opt.Linger)
	h.lifeAt = maxDiscard
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.flags&(pOpen|pReadEnded) == pOpen && pt.err == 0 && l.closeLosesOutput(pt) {
			pt.flags |= pKernelInput // input may have come during the last call, before its event
		}
	}
}

// noteCut marks a machine that ends because one of its ports broke. The peers of its other
// ports are to find a reset as well: of a relay, for example, whose source was cut off.
func (l *Loop) noteCut(x uint32, h *header, reason error) {
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		if err := l.errorOf(x, p, b.port(h, p)); err != nil && errors.Is(reason, err) {
			h.flags |= mCut
		}
	}
}

// drainPorts closes the ports of a stopping machine that need not stay open any more. A
// port that is not connected yet stays open if there is output for it.
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
			l.discard(h, p, pt) // also while there is output: the peer may read only after it has written
		}
		if pt.err != 0 || pt.out == 0 && !l.mustLinger(h, pt) {
			l.closePort(x, h, p, pt)
			continue
		}
		if left = true; fragile && pt.flags&pKernelInput != 0 && h.lifeAt > 0 {
			l.queue.push(x, h) // there is more input than one turn discards
		}
	}
	if !left {
		l.end(x, h)
	} else if h.flags&mDead == 0 {
		h.flags &^= mRearm
		l.wheel.Add(timerOf(x), l.nextLingerPoll(x, h))
	}
}

// nextLingerPoll returns when drainPorts is to look again, or a port tries the next address
// of the name that it dials.
func (l *Loop) nextLingerPoll(x uint32, h *header) int64 {
	now := l.drv.Now()
	waited := int64(l.stores[h.kind].opt.Linger) - (h.withinAt - now)
	poll := min(max(waited/2, int64(minLingerPoll)), int64(maxLingerPoll))
	at := min(h.withinAt, now+poll)
	if h.flags&mDialing != 0 {
		next, _, _ := l.nextAttempt(x, h, h.withinAt)
		at = min(at, next)
	}
	return at
}

// closeLosesOutput reports whether input that comes to the closed socket makes the peer's
// kernel drop output that was sent, or report a reset before it.
func (l *Loop) closeLosesOutput(pt *port) bool {
	return pt.sock != 0 && pt.flags&(pConnecting|pResolving) == 0 && l.hasConnection(pt) && l.drv.Traits(pt.sock)&driver.KeepsOutput == 0
}

// discard drops input of a stopping machine.
func (l *Loop) discard(h *header, p Port, pt *port) {
	left := min(discardPerCall, l.turn.discards)
	for h.lifeAt > 0 && left > 0 && pt.flags&pKernelInput != 0 {
		n, flow, err := l.drv.Read(pt.sock, l.scratch.lend(left))
		if l.noteRead(h, p, pt, n, flow, err); n > 0 {
			pt.flags |= pUploading
			left -= n
			l.turn.discards -= n
			if pt.out == 0 && !l.drv.Unacked(pt.sock) {
				h.lifeAt -= int64(n)
			}
		}
	}
}

// mustLinger reports whether a port without output has to stay open: its peer does not have
// everything yet, or more input may come.
func (l *Loop) mustLinger(h *header, pt *port) bool {
	if !l.closeLosesOutput(pt) || pt.err != 0 {
		return false
	}
	unacked := l.drv.Unacked(pt.sock)
	switch {
	case h.flags&mCut != 0: // a reset follows, and no end
		return unacked
	case h.lifeAt <= 0: // its input is not waited for any more
		break
	case pt.flags&pReadEnded != 0 || pt.flags&(pUploading|pKernelInput) == 0 && !unacked:
		return false
	}
	pt.flags |= pLingering | pShutWanted
	l.shutIfDrained(pt)
	return unacked || h.lifeAt > 0
}
