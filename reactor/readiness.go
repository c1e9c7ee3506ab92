package reactor

import (
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/reactor/poll"
)

// The way of an event, from Driver.Wait to a handler:
//
//	turn.go       wait      collects events
//	readiness.go  dispatch  finds the machine and its port, and notes what is ready
//	              schedule  puts the machine into the run queue
//	turn.go       phases    takes it out
//	store.go      run       calls the state's OnReady while something is deliverable

// dispatch takes one event of the driver.
func (l *Loop) dispatch(ev poll.Event) {
	data := driver.EventData(ev.Token)
	if !data.OfMachine() {
		if data.Source() == driver.SourceListener {
			l.acceptor.event(data)
		}
		return
	}
	x := data.Index()
	h := l.slots.Find(data.Generation(), x)
	if h == nil || h.flags&mDead != 0 {
		l.stats.stale++
		return
	}
	b, p := l.stores[h.kind], Port(data.Port())
	if uint32(p) >= b.nports {
		l.stats.stale++
		return
	}
	pt := b.port(h, p)
	if pt.flags&pOpen == 0 || pt.gen != data.PortGen() {
		l.stats.stale++
		return
	}
	l.stats.events++
	if ev.Ready&(poll.ReadClosed|poll.WriteClosed|poll.Error|poll.Priority) != 0 {
		pt.flags |= pHangup // also if this is the event of a connect: it may have its end as well
	}
	if pt.flags&pConnecting != 0 {
		if ev.Ready&(poll.Writable|poll.WriteClosed|poll.Error) != 0 {
			l.finishDial(x, h, p, pt)
		}
		return
	}
	const readish = poll.Readable | poll.ReadClosed | poll.Error | poll.Priority
	if ev.Ready&readish != 0 && pt.flags&pReadEnded == 0 {
		pt.flags |= pKernelInput
		l.refresh(h, p, pt)
	}
	if ev.Ready&(poll.Writable|poll.WriteClosed|poll.Error) != 0 {
		h.ready |= writeBit(p)
		if pt.out != 0 {
			l.drain(h, p, pt)
		}
	}
	broke := ev.Ready&poll.Error != 0 ||
		ev.Ready&poll.WriteClosed != 0 && l.drv.Traits(pt.sock)&driver.WriteOnly != 0 // kqueue reports no error for a pipe without a reader
	if broke && l.hasConnection(pt) {
		pt.flags |= pErrorEvent
		h.flags |= mReshow
		l.checkError(h, p, pt)
	}
	l.schedule(x, h)
}

// checkError asks for the error of a port that the machine is not about to read: it
// takes its Fail transition now, and not at some later call. A machine that is about to read
// gets the error from that; if it goes to a state that does not read, it takes the Fail
// transition there.
func (l *Loop) checkError(h *header, p Port, pt *port) {
	if h.flags&(mNewborn|mStopping) != 0 || l.deliverable(h)&fsm.Ready(readBit(p)) != 0 {
		return
	}
	pt.flags &^= pErrorEvent
	if _, err := l.drv.FinishConnect(pt.sock); err != nil {
		l.setError(pt, err)
		l.dropOutput(pt)
		l.updateRoom(h, p, pt)
		if pt.flags&pReported == 0 {
			h.flags |= mErrorPending
		}
	}
}

// schedule queues a machine if there is something for it to do. Input that it left
// because a write or a post was refused is something to do.
func (l *Loop) schedule(x uint32, h *header) {
	if h.flags&mRefused != 0 {
		h.flags &^= mRefused
		l.showAgain(h)
	}
	h.flags &^= mNoProgress
	if h.flags&mAttention != 0 || l.deliverable(h) != 0 {
		l.queue.push(x, h)
	}
}

// deliverable returns the readiness of a machine that its OnReady would be called for.
func (l *Loop) deliverable(h *header) fsm.Ready { return l.stores[h.kind].deliverable(h) }

// deliverable returns the part of a machine's readiness that its row waits for and
// whose gates are open.
func (b *base) deliverable(h *header) fsm.Ready {
	wait, ready := b.rows[h.state].wait, fsm.Ready(h.ready)
	if wait&ready == 0 {
		return 0
	}
	return wait.Deliver(ready, fsm.Gate(h.gates))
}

// Bits of header.ready for port p, as fsm.Ready has them.
func readBit(p Port) uint16  { return 1 << p }
func writeBit(p Port) uint16 { return 1 << (4 + p) }
func drainBit(p Port) uint16 { return 1 << (8 + p) }
func openBit(p Port) uint16  { return 1 << (12 + p) }
