package reactor

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/mailbox"
)

// inbox has the mailboxes of a kind's machines on one loop. They share a ring of cells, and
// each machine's own bound is a count: so 100,000 idle machines have one ring, and not
// 100,000. A message that a machine defers moves out of the ring, where it would block
// those of others, and stays in the count.
type inbox[Msg any] struct {
	address *address[Msg]
	ring    *mailbox.Ring[cell[Msg]]
	loop    *Loop
	tracer  MessageTracer // of the loop; nil: it has none
	most    uint32
	gens    []atomic.Uint32 // by slot: the generation that accepts messages; 0: none does
	waiting []atomic.Uint32 // by slot: messages accepted and not handled, and waitersBit; the last one is the ring's
	closed  atomic.Bool     // the loop has ended

	mu     sync.Mutex
	queues map[uint32]*waitQueue // of machines that wait for room in a mailbox, by its number; made at the first refusal
}

// address is what the Refs of an inbox share. When the loop has ended it leads nowhere, so
// that a Ref that is kept does not keep the loop and its memory.
type address[Msg any] struct {
	inbox atomic.Pointer[inbox[Msg]]
}

type cell[Msg any] struct {
	to  Token
	msg Msg
}

func newInbox[Msg any](l *Loop, opt *Options) (*inbox[Msg], error) {
	ring, err := mailbox.New[cell[Msg]](opt.Queue, l.sleeper)
	if err != nil {
		return nil, fmt.Errorf("option Queue: %w", err)
	}
	in := &inbox[Msg]{address: new(address[Msg]), ring: ring, loop: l, most: uint32(opt.Mailbox)}
	in.tracer, _ = l.tracer.(MessageTracer)
	in.gens = pages.Alloc[inbox[Msg], atomic.Uint32](in, l.cfg.Slots)
	in.waiting = pages.Alloc[inbox[Msg], atomic.Uint32](in, l.cfg.Slots+1)
	in.address.inbox.Store(in)
	return in, nil
}

// Ref is the address of a machine that takes messages of type Msg: 16 bytes, comparable,
// valid on any goroutine. The zero Ref is no machine's.
type Ref[Msg any] struct {
	at *address[Msg]
	to Token
}

// Token returns the identity of the machine, without its message type.
func (r Ref[Msg]) Token() Token { return r.to }

// Send copies m into the mailbox of the machine, from any goroutine, and does not wait. The
// error is ErrFull if Options.Mailbox or Options.Queue has no room, ErrStale if the machine
// has ended, or ErrClosed if its loop has. nil means that m is delivered exactly once, in
// the order of this goroutine's sends, unless the machine ends first; then Stats.Dead counts
// it.
func (r Ref[Msg]) Send(m Msg) error { return r.put(r.inbox(), m, true) }

// inbox returns nil if the loop has ended.
func (r Ref[Msg]) inbox() *inbox[Msg] {
	if r.at == nil {
		return nil
	}
	return r.at.inbox.Load()
}

func (r Ref[Msg]) put(in *inbox[Msg], m Msg, wake bool) error {
	if in != nil && in.tracer != nil {
		return r.putTraced(in, m, wake)
	}
	return r.enqueue(in, m, wake)
}

func (r Ref[Msg]) enqueue(in *inbox[Msg], m Msg, wake bool) error {
	defer runtime.KeepAlive(in) // its tables are freed with it
	x := r.to.Index()
	if in == nil || in.gens[x].Load() != r.to.Generation() {
		if r.at != nil && (in == nil || in.closed.Load()) {
			return ErrClosed
		}
		return ErrStale
	}
	if !in.claim(x) {
		return ErrFull
	}
	var err error
	if wake {
		err = in.ring.Send(cell[Msg]{r.to, m})
	} else {
		err = in.ring.Post(cell[Msg]{r.to, m})
	}
	switch err {
	case nil:
		return nil
	case mailbox.ErrFull:
		err = ErrFull
	case mailbox.ErrClosed:
		err = ErrClosed
	}
	if in.unclaim(x) {
		in.notify(x)
	}
	return err
}

// claim takes a place in a mailbox. It does not count a message that it refuses, even for a
// moment: a mailbox must not look full because of those.
func (in *inbox[Msg]) claim(x uint32) bool {
	for {
		n := in.waiting[x].Load()
		if n&^waitersBit >= in.most {
			return false
		}
		if in.waiting[x].CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// unclaim gives a place back, and reports whether a machine waits for it.
func (in *inbox[Msg]) unclaim(x uint32) bool {
	return in.waiting[x].Add(^uint32(0))&waitersBit != 0
}

// Post is Send from a handler. On the same loop it is cheaper. After ErrFull the gate
// fsm.Sendable of the sender is closed until there is room. A row that waits for
// in.Readable().While(out.Room() | fsm.Sendable) is called again then, if the handler did
// not consume the input that it could not post for. Do not pass errors of Post to IO.Fail
// without thought: ErrStale and ErrFull are the receiver's trouble, and would end the
// sender.
func (r Ref[Msg]) Post(cx *IO, m Msg) error {
	if !cx.inCall() {
		return ErrOutside
	}
	in := r.inbox()
	err := r.put(in, m, in == nil || in.loop != cx.loop)
	if err == nil {
		cx.h.flags &^= mSenderWoken
		cx.madeProgress()
	} else if err == ErrFull {
		at := r.to.Index()
		if in.room(at) > 0 {
			at = in.ringNumber()
		}
		cx.loop.senders.block(cx.x, cx.h, in, at)
	}
	return err
}

// receive delivers a batch of messages of each kind.
func (l *Loop) receive() {
	for ; l.turn.kind < len(l.stores); l.turn.kind++ {
		l.stores[l.turn.kind].deliver(l.cfg.Batch)
	}
	l.turn.kind = 0
	if l.senders.notified.Load() != nil {
		l.senders.wake()
	}
}

func (s *store[M, Msg]) inboxEmpty() bool { return s.inbox == nil || s.inbox.ring.Empty() }

// deliver hands out messages, and then gives all their places back. The count of places is
// in the store, so that a panic does not lose it.
func (s *store[M, Msg]) deliver(most int) {
	if s.inbox == nil {
		return
	}
	for ; most > 0 && s.inbox.ring.Recv(&s.cell); most-- {
		s.taken++
		h := s.loop.live(s.cell.to)
		x := s.cell.to.Index()
		switch {
		case h == nil || h.flags&mStopping != 0:
			s.loop.stats.dead++
			s.freePlace(x)
		case h.flags&mNewborn != 0 || s.rows[h.state].defers || h.flags&mRestash != 0:
			s.stash(h, h.stashLast, &s.cell.msg)
			if h.flags&mNewborn != 0 {
				h.flags |= mRestash
			}
		default:
			s.freePlace(x)
			m := s.at(x, h)
			if s.deliverOne(x, h, m, &s.cell.msg) {
				s.inbox.waiting[x].Add(1)
				s.stash(h, h.stashLast, &s.cell.msg)
			}
			s.loop.settle(x, h)
		}
	}
	s.releaseRing()
}

// deliverOne gives a message to its machine. It returns true if the machine defers it.
func (s *store[M, Msg]) deliverOne(x uint32, h *header, m *M, msg *Msg) (later bool) {
	handler := s.kind.rows[h.state].OnMessage
	if handler == nil {
		s.loop.stats.dead++
		return false
	}
	s.loop.stats.messages++
	h.activeAt = max(h.activeAt, s.loop.turn.now)
	h.spinCount = 0
	next := call(s, x, m, handler, msg)
	if any := s.kind.rows[fsm.Any].OnMessage; next == fsm.Pass && any != nil {
		next = call(s, x, m, any, msg)
	}
	if s.loop.call.peeked != 0 {
		s.loop.markSeen(h)
	}
	if next == fsm.Defer {
		return true
	}
	s.answer(x, h, m, next)
	return false
}

// freePlace gives back the place that a message had in its machine's mailbox.
func (s *store[M, Msg]) freePlace(x uint32) {
	if s.inbox.unclaim(x) {
		s.inbox.waiting[x].And(^waitersBit) // one notification per batch is enough
		s.roomIn = append(s.roomIn, x)
	}
}

// releaseRing gives places back to senders, and notifies machines that wait for them.
func (s *store[M, Msg]) releaseRing() {
	if s.taken > 0 {
		s.inbox.ring.Release(s.taken)
		s.taken = 0
		if ring := s.inbox.ringNumber(); s.inbox.waiting[ring].Load() != 0 {
			s.inbox.notify(ring)
		}
	}
	for _, x := range s.roomIn {
		s.inbox.notify(x)
	}
	s.roomIn = s.roomIn[:0]
}

// closeMailbox ends the mailbox of a machine. Stashed messages are counted as dead.
func (s *store[M, Msg]) closeMailbox(x uint32, h *header) {
	if s.inbox == nil {
		return
	}
	s.inbox.gens[x].Store(0)
	for h.stash != 0 {
		s.unstash(h, 0)
		s.freePlace(x)
		s.loop.stats.dead++
	}
	s.releaseRing()
}

// closeInbox refuses messages from now on, and counts those that are left as dead.
func (s *store[M, Msg]) closeInbox() {
	if s.inbox == nil {
		return
	}
	s.inbox.closed.Store(true)
	s.inbox.ring.Close()
	for !s.inbox.ring.Done() {
		if !s.inbox.ring.Recv(&s.cell) {
			runtime.Gosched() // a sender is still copying its message
			continue
		}
		s.taken++
		s.loop.stats.dead++
		s.freePlace(s.cell.to.Index())
	}
	s.releaseRing()
	s.inbox.address.inbox.Store(nil)
}
