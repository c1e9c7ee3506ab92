package reactor

import (
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor/driver"
)

// header is what the loop knows of a machine: with the slab's 8 bytes one cache
// line, free of pointers, so that the collector never looks at it.
type header struct {
	next     uint32 // the one behind in the run queue, as index+1
	local    uint32 // the row in its kind's store
	kind     uint16 // index of Loop.stores
	ready    uint16 // fsm.Ready without gates: what came and was not used up
	flags    uint16
	state    uint8
	gates    uint8 // fsm.Gate: the open ones
	withinAt int64 // when Within ends the stay; in a stopping machine, when Linger does
	heardAt  int64 // when a byte came in, or a message was handled
	lifeAt   int64 // when row Any's Within ends the machine
	timers   uint32
	kept     uint32 // first message kept by Defer or Later, a number of its store's
	keptLast uint32
	circles  uint16 // transitions since the last progress
}

const (
	queued     uint16 = 1 << iota
	newborn           // Enter has not run
	dead              // to be freed at the end of the turn
	stopping          // Exit has run, output is being flushed
	exiting           // the state's Exit has begun: it runs once a stay, whatever panics
	exitingAny        // row Any's has
	stuck             // its last call made no progress: wait for something new
	broken            // an error came outside a call: take the Fail edge
	leaving           // a shutdown was asked for
	unkept            // the state changed: look at the kept messages again
	unarmed           // a deadline of its may be earlier than its node of the wheel
	noRoom            // there was no room: show it its input again when there may be
	hungry            // it is in Loop.starved
	letIn             // it waited for Sendable, and has posted nothing since
	unshown           // a port has what another state is to be shown: input that was seen, or an error
)

// attention is what run looks at before readiness.
const attention = newborn | broken | leaving | unkept | stopping

// port is a machine's end of a descriptor: 16 bytes, no pointers. What it holds
// lives in the loop's pool.
type port struct {
	sock  driver.Sock
	in    uint32 // chunk of input that is not consumed, 0: none
	out   uint32 // first chunk of output that is not sent, 0: none
	flags uint16
	gen   uint8 // 6 bits, one more with each close
	err   uint8 // sticky, a number of Loop.errs
}

const (
	isOpen     uint16 = 1 << iota
	connecting        // until Finish says yes
	resolving         // the name is being looked up; there is no socket yet
	kernelIn          // the kernel may have input: cleared by Drained only
	seen              // the handler saw all that in holds and took nothing
	ended             // the peer's direction is over
	told              // the end, or the error, was told
	hungUp            // a hang-up, error or urgent byte was seen: a short read proves nothing
	wantShut          // CloseWrite: end this direction once the output is out
	shut              // it is ended
	datagram          // reads and writes are whole messages
	lingering         // its machine has stopped: discard input until the peer has what was sent
	uploading         // input came meanwhile: until the end
	failing           // an error event came that no call has told of yet
)

// Bits of header.ready for port p.
func readBit(p Port) uint16  { return 1 << p }
func writeBit(p Port) uint16 { return 1 << (4 + p) }
func drainBit(p Port) uint16 { return 1 << (8 + p) }
func openBit(p Port) uint16  { return 1 << (12 + p) }

// eventData is what the socket of a machine's port is registered with.
func eventData(t Token, p Port, gen uint8) driver.EventData {
	return driver.PortEvent(t.Generation(), t.Index(), uint8(p), gen)
}

// queue puts a machine at the end of the run queue, once.
func (l *Loop) queue(x uint32, h *header) {
	if h.flags&(queued|dead) != 0 {
		return
	}
	h.flags |= queued
	h.next = 0
	if l.runLast == 0 {
		l.runFirst = x + 1
	} else {
		l.slots.At(l.runLast - 1).next = x + 1
	}
	l.runLast = x + 1
	l.runLen++
}

func (l *Loop) dequeue() (uint32, *header) {
	x := l.runFirst - 1
	h := l.slots.At(x)
	l.runFirst = h.next
	if l.runFirst == 0 {
		l.runLast = 0
	}
	l.runLen--
	h.flags &^= queued
	return x, h
}

// rouse queues a machine that has something to look at. What a refusal made it leave
// is something, too.
func (l *Loop) rouse(x uint32, h *header) {
	if h.flags&noRoom != 0 {
		h.flags &^= noRoom
		l.unsee(h)
	}
	h.flags &^= stuck
	if h.flags&attention != 0 || l.told(h) != 0 {
		l.queue(x, h)
	}
}

func (l *Loop) told(h *header) fsm.Ready {
	return l.stores[h.kind].told(h)
}

// live finds the machine that a token means, nil when it has ended.
func (l *Loop) live(t Token) *header {
	h := l.slots.Get(t)
	if h == nil || h.flags&dead != 0 {
		return nil
	}
	return h
}
