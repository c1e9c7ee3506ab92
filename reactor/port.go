package reactor

import (
	"errors"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

func (b *base) port(h *header, p Port) *port {
	return &b.ports[h.local*b.nports+uint32(p)]
}

// attach puts a socket under a port and starts its events.
func (l *Loop) attach(x uint32, h *header, p Port, s driver.Sock, flags uint16) error {
	pt := l.stores[h.kind].port(h, p)
	traits := l.drv.Traits(s)
	if traits&driver.Datagram != 0 {
		flags |= datagram
	}
	*pt = port{sock: s, flags: isOpen | flags, gen: pt.gen}
	if err := l.drv.Register(s, eventData(l.slots.TokenAt(x), p, pt.gen)); err != nil {
		l.drv.Close(s)
		*pt = port{gen: pt.gen}
		return err
	}
	if flags&connecting == 0 {
		l.opened(h, p, pt, traits)
	}
	return nil
}

// opened makes a connected port ready: the first read or write finds out.
func (l *Loop) opened(h *header, p Port, pt *port, traits driver.Traits) {
	pt.flags &^= connecting | resolving
	h.ready |= openBit(p) | drainBit(p)
	if traits&driver.ReadOnly == 0 {
		h.ready |= writeBit(p)
	}
	if traits&driver.WriteOnly == 0 {
		pt.flags |= kernelIn
	}
	l.refresh(h, p, pt)
	l.drain(h, p, pt)
}

// ready takes one event of the driver's.
func (l *Loop) ready(ev poll.Event) {
	data := driver.EventData(ev.Token)
	if !data.OfMachine() {
		l.ownEvent(data)
		return
	}
	x := data.Index()
	h := l.slots.Find(data.Generation(), x)
	if h == nil || h.flags&dead != 0 {
		l.stats.stale++
		return
	}
	b, p := l.stores[h.kind], Port(data.Port())
	if uint32(p) >= b.nports {
		l.stats.stale++
		return
	}
	pt := b.port(h, p)
	if pt.flags&isOpen == 0 || pt.gen != data.PortGen() {
		l.stats.stale++
		return
	}
	l.stats.events++
	if ev.Ready&(poll.ReadClosed|poll.WriteClosed|poll.Error|poll.Priority) != 0 {
		pt.flags |= hungUp // the event that tells of a connection may tell of its end
	}
	if pt.flags&connecting != 0 {
		if ev.Ready&(poll.Writable|poll.WriteClosed|poll.Error) != 0 {
			l.finishDial(x, h, p, pt)
		}
		return
	}
	const readish = poll.Readable | poll.ReadClosed | poll.Error | poll.Priority
	if ev.Ready&readish != 0 && pt.flags&ended == 0 {
		pt.flags |= kernelIn
		l.refresh(h, p, pt)
	}
	if ev.Ready&(poll.Writable|poll.WriteClosed|poll.Error) != 0 {
		h.ready |= writeBit(p)
		if pt.out != 0 {
			l.drain(h, p, pt)
		}
	}
	broke := ev.Ready&poll.Error != 0 ||
		ev.Ready&poll.WriteClosed != 0 && l.drv.Traits(pt.sock)&driver.WriteOnly != 0 // a kqueue has no error of a pipe without a reader
	if broke && l.connected(pt) {
		pt.flags |= failing
		h.flags |= unshown
		l.reset(h, p, pt)
	}
	l.rouse(x, h)
}

// reset looks after an error on a port that the machine is not about to read: it
// takes the Fail edge now, and not at some later call. One that is about to read,
// and then goes to a state that does not, takes it there.
func (l *Loop) reset(h *header, p Port, pt *port) {
	if h.flags&(newborn|stopping) != 0 || l.told(h)&fsm.Ready(readBit(p)) != 0 {
		return
	}
	pt.flags &^= failing
	if _, err := l.drv.FinishConnect(pt.sock); err != nil {
		l.fault(pt, err)
		l.dropOutput(pt)
		if pt.flags&told == 0 {
			h.flags |= broken
		}
	}
}

// closePort closes a port for good or for another Dial: later events of the
// socket carry a generation that is over.
func (l *Loop) closePort(h *header, p Port, pt *port) {
	l.dropOutput(pt)
	if pt.in != 0 {
		l.pool.put(pt.in)
	}
	if pt.flags&(resolving|connecting) != 0 {
		l.forgetLookup(h, p)
	}
	if pt.sock != 0 {
		l.drv.Close(pt.sock)
		l.resumeAccepts()
	}
	l.errs.drop(pt.err)
	*pt = port{gen: driver.NextPortGen(pt.gen)}
	h.ready &^= readBit(p) | writeBit(p) | drainBit(p) | openBit(p)
	h.gates |= 1 << p
}

// stop ends a machine: its Exit handlers run, what it wrote is flushed within
// Linger, its ports close, its slot is free in the next turn.
func (l *Loop) stop(x uint32, h *header) {
	b := l.stores[h.kind]
	reason := l.reason
	b.exit(x, h)
	l.reason = nil
	l.flush()
	h.flags |= stopping
	h.flags &^= newborn | broken
	l.dropTimers(h)
	b.drop(x, h)
	l.fell(x, reason)
	l.calling = x + 1 // what follows is the user's code: an error's Is, and Ended
	if reason != nil && !errors.Is(reason, ErrShutdown) {
		l.stats.failed++
	}
	if b.opt.Ended != nil {
		b.opt.Ended(l.slots.TokenAt(x), reason)
	}
	if o := l.cfg.Observer; o != nil {
		o.Ended(l.slots.TokenAt(x), b.described(), reason)
	} else if b.opt.Ended == nil {
		logPanic(reason)
	}
	l.calling = 0
	h.withinAt = after(l.drv.Now(), b.opt.Linger)
	l.drainPorts(x, h)
}

// lookAgain is how often a stopping machine asks whether its peer has everything: no
// event tells.
const lookAgain = 20 * time.Millisecond

// drainPorts closes the ports of a stopping machine as their output is out. A
// peer that still sends would have that output destroyed by a reset: its input is
// read and dropped, until it ends or Linger does. One that is not connected yet is
// waited for if there is output for it.
func (l *Loop) drainPorts(x uint32, h *header) {
	b := l.stores[h.kind]
	left := false
	for p := Port(0); uint32(p) < b.nports; p++ {
		pt := b.port(h, p)
		if pt.flags&isOpen == 0 {
			continue
		}
		l.drain(h, p, pt)
		fragile := l.fragile(pt)
		if fragile {
			// A peer that writes first, and reads then, takes output only when its own is taken.
			l.discard(h, p, pt)
		}
		if pt.err == 0 && (pt.out != 0 || l.lingers(pt)) {
			if left = true; fragile && pt.flags&kernelIn != 0 {
				l.queue(x, h) // there is more than one look discards
			}
			continue
		}
		l.closePort(h, p, pt)
	}
	if !left {
		l.die(x, h)
	} else if h.flags&dead == 0 {
		h.flags &^= unarmed
		l.wheel.Add(timerOf(x), min(h.withinAt, after(l.drv.Now(), lookAgain)))
	}
}

// connected tells whether the port's errors are those of its connection, and not of one
// datagram.
func (l *Loop) connected(pt *port) bool {
	return pt.flags&datagram == 0 || l.drv.Traits(pt.sock)&driver.Sequenced != 0
}

// fragile tells whether input that comes to the closed socket makes the peer's kernel
// drop what it was sent and has not got yet, or tell of a reset before it.
func (l *Loop) fragile(pt *port) bool {
	return pt.flags&(connecting|resolving) == 0 && l.connected(pt) && l.drv.Traits(pt.sock)&driver.KeepsOutput == 0
}

// discard drops input that came to a stopping machine.
func (l *Loop) discard(h *header, p Port, pt *port) {
	for tries := 0; pt.flags&kernelIn != 0 && tries < 16; tries++ {
		n, flow, err := l.drv.Read(pt.sock, l.scratch(scratchSize))
		if l.came(h, p, pt, n, flow, err); n > 0 {
			pt.flags |= uploading
		}
	}
}

// lingers tells whether a port without output has to stay open, as more input is to
// be expected.
func (l *Loop) lingers(pt *port) bool {
	if !l.fragile(pt) {
		return false
	}
	if pt.flags&ended != 0 || pt.err != 0 || pt.flags&uploading == 0 && !l.drv.Unacked(pt.sock) {
		return false
	}
	pt.flags |= lingering | wantShut
	l.shutIfDrained(pt)
	return true
}

// die closes what is open and marks the slot: bury frees it at the turn's end.
func (l *Loop) die(x uint32, h *header) {
	if h.flags&dead != 0 {
		return
	}
	b := l.stores[h.kind]
	for p := Port(0); uint32(p) < b.nports; p++ {
		if pt := b.port(h, p); pt.flags&isOpen != 0 {
			l.closePort(h, p, pt)
		}
	}
	h.flags |= dead | stopping
	l.wheel.Cancel(timerOf(x))
	l.dropTimers(h)
	l.quit(x, h)
	b.drop(x, h)
	l.graves = append(l.graves, x)
}

// bury frees the slots of machines that ended this turn and left the run queue.
func (l *Loop) bury() {
	keep := l.graves[:0]
	for _, x := range l.graves {
		h := l.slots.At(x)
		if h.flags&queued != 0 {
			keep = append(keep, x)
			continue
		}
		b := l.stores[h.kind]
		b.vacate(h.local)
		l.slots.Remove(l.slots.TokenAt(x))
		l.resumeAccepts()
	}
	l.graves = keep
}
