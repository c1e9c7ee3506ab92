package reactor

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/mailbox"
)

// The mailboxes of a kind's machines on one loop share a ring of cells; each
// machine's own bound is a count. A kind with 100,000 idle machines has so one
// ring, and not 100,000. What a machine keeps for a later state moves out of the
// ring, where it would be in the way of the others, and stays in the count.

// inbox is where messages to a kind's machines on one loop go.
type inbox[Msg any] struct {
	ring    *mailbox.Ring[cell[Msg]]
	loop    *Loop
	most    uint32
	gens    []atomic.Uint32 // by slot: the generation that takes messages, 0: none
	waiting []atomic.Uint32 // by slot: messages accepted and not handled, and wanted; behind the last the ring's wanted
	closed  atomic.Bool     // the loop is over

	mu    sync.Mutex
	doors []*door // by slot, and the ring's: where machines wait; made at the first refusal
}

type cell[Msg any] struct {
	to  Token
	msg Msg
}

func newInbox[Msg any](l *Loop, opt *Options) (*inbox[Msg], error) {
	ring, err := mailbox.New[cell[Msg]](opt.Inflow, l.sleeper)
	if err != nil {
		return nil, fmt.Errorf("option Inflow: %w", err)
	}
	return &inbox[Msg]{ring: ring, loop: l, most: uint32(opt.Mailbox),
		gens: make([]atomic.Uint32, l.cfg.Slots), waiting: make([]atomic.Uint32, l.cfg.Slots+1)}, nil
}

// Ref is the address of a machine that takes Msg: 16 bytes, comparable, good for
// any goroutine. The zero Ref is nobody's.
type Ref[Msg any] struct {
	in *inbox[Msg]
	to Token
}

// Token is the machine's identity, without its type.
func (r Ref[Msg]) Token() Token { return r.to }

// Send copies m into the mailbox, from anywhere, at once: nil, ErrFull, ErrStale
// when the machine has ended, or ErrClosed when its loop has. nil promises that m
// is handled once, behind what was sent before from here, or counted as dead if
// the machine ends first.
func (r Ref[Msg]) Send(m Msg) error { return r.put(m, true) }

func (r Ref[Msg]) put(m Msg, wake bool) error {
	in, x := r.in, r.to.Index()
	if in == nil || in.gens[x].Load() != r.to.Generation() {
		if in != nil && in.closed.Load() {
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
		in.open(x)
	}
	return err
}

// claim takes a place in a machine's mailbox. It never counts what it does not take:
// a mailbox must not look full because of those that it refuses.
func (in *inbox[Msg]) claim(x uint32) bool {
	for {
		n := in.waiting[x].Load()
		if n&^wanted >= in.most {
			return false
		}
		if in.waiting[x].CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// unclaim gives a place back, and tells whether somebody waits for it.
func (in *inbox[Msg]) unclaim(x uint32) bool {
	return in.waiting[x].Add(^uint32(0))&wanted != 0
}

// Post is Send from a handler: cheaper on the same loop, and after ErrFull closes
// the gate fsm.Sendable until there is room: who waits for input while it is open
// (Wait: in.Readable().While(out.Room() | fsm.Sendable)), and leaves the input that it
// could not post for, goes on there. Fail with an error of Post ends the sender, for its
// receiver's sake: ErrStale and ErrFull seldom want that.
func (r Ref[Msg]) Post(cx *IO, m Msg) error {
	if !cx.inside() {
		return ErrOutside
	}
	err := r.put(m, r.in == nil || r.in.loop != cx.loop)
	if err == nil {
		cx.h.flags &^= letIn
		cx.moved()
	} else if err == ErrFull {
		at := r.to.Index()
		if r.in.room(at) > 0 {
			at = r.in.ringDoor()
		}
		cx.loop.refuse(cx.x, cx.h, r.in, at)
	}
	return err
}

// receive delivers a batch of messages of each kind.
func (l *Loop) receive() {
	for ; l.kindAt < len(l.stores); l.kindAt++ {
		l.stores[l.kindAt].deliver(l.cfg.Batch)
	}
	l.kindAt = 0
	if l.doors.knocked.Load() != nil {
		l.reopen()
	}
}

func (s *store[M, Msg]) inboxEmpty() bool { return s.inbox == nil || s.inbox.ring.Empty() }

// closeInbox refuses what comes from now on and counts what is left as dead.
func (s *store[M, Msg]) closeInbox() {
	if s.inbox == nil {
		return
	}
	s.inbox.closed.Store(true)
	s.inbox.ring.Close()
	for !s.inbox.ring.Done() {
		if !s.inbox.ring.Recv(&s.cell) {
			runtime.Gosched() // its sender is copying it
			continue
		}
		s.received++
		s.loop.stats.dead++
		s.free(s.cell.to.Index())
	}
	s.giveBack()
}

// free gives back a handled message's place in its machine's mailbox.
func (s *store[M, Msg]) free(x uint32) {
	if s.inbox.unclaim(x) {
		s.inbox.waiting[x].And(^wanted) // once a batch is enough
		s.opening = append(s.opening, x)
	}
}

// deliver hands out messages, and gives their places back in one go. The count is
// the store's, so that a panic on the way does not lose it.
func (s *store[M, Msg]) deliver(most int) {
	if s.inbox == nil {
		return
	}
	for ; most > 0 && s.inbox.ring.Recv(&s.cell); most-- {
		s.received++
		h := s.loop.live(s.cell.to)
		x := s.cell.to.Index()
		switch {
		case h == nil || h.flags&stopping != 0:
			s.loop.stats.dead++
			s.free(x)
		case h.flags&newborn != 0 || s.rows[h.state].keeps || h.flags&unkept != 0:
			s.keep(h, h.keptLast, &s.cell.msg)
			if h.flags&newborn != 0 {
				h.flags |= unkept
			}
		default:
			s.free(x)
			m := s.on(x, h)
			if s.hand(x, h, m, &s.cell.msg) {
				s.inbox.waiting[x].Add(1)
				s.keep(h, h.keptLast, &s.cell.msg)
			}
			s.loop.settle(x, h)
		}
	}
	s.giveBack()
}

// hand gives a message to its machine; true: keep it for later.
func (s *store[M, Msg]) hand(x uint32, h *header, m *M, msg *Msg) (later bool) {
	handler := s.kind.rows[h.state].Message
	if handler == nil {
		s.loop.stats.dead++
		return false
	}
	s.loop.stats.messages++
	h.heardAt = max(h.heardAt, s.loop.now)
	h.circles = 0
	next := call(s, x, m, handler, msg)
	if any := s.kind.rows[fsm.Any].Message; next == fsm.Pass && any != nil {
		next = call(s, x, m, any, msg)
	}
	if s.loop.peeked != 0 {
		s.loop.sawAll(h)
	}
	if next == fsm.Later {
		return true
	}
	s.answer(x, h, m, next)
	return false
}

// keptCell is a message that waits for its machine's next state. It holds its
// place in the mailbox, which bounds how many there are.
type keptCell[Msg any] struct {
	next uint32
	msg  Msg
}

// keptPage is how many kept messages memory is found for at a time.
const keptPage = 256

// keptAt is the cell of a number, which begin at 1.
func (s *store[M, Msg]) keptAt(n uint32) *keptCell[Msg] {
	return &s.kept[(n-1)/keptPage][(n-1)%keptPage]
}

// keep puts a message behind the kept one of that number; behind 0 is the front.
func (s *store[M, Msg]) keep(h *header, behind uint32, msg *Msg) {
	n := s.spare
	if n != 0 {
		s.spare = s.keptAt(n).next
	} else {
		if s.keptUsed%keptPage == 0 {
			s.kept = append(s.kept, new([keptPage]keptCell[Msg]))
		}
		s.keptUsed++
		n = s.keptUsed
	}
	next := s.nextKept(h, behind)
	*next, *s.keptAt(n) = n, keptCell[Msg]{next: *next, msg: *msg}
	if behind == h.keptLast {
		h.keptLast = n
	}
}

// nextKept is where the number of the message behind one is.
func (s *store[M, Msg]) nextKept(h *header, behind uint32) *uint32 {
	if behind == 0 {
		return &h.kept
	}
	return &s.keptAt(behind).next
}

// unkeep takes the message behind one out.
func (s *store[M, Msg]) unkeep(h *header, behind uint32) Msg {
	next := s.nextKept(h, behind)
	n := *next
	k := s.keptAt(n)
	msg := k.msg
	if *next = k.next; n == h.keptLast {
		h.keptLast = behind
	}
	*k = keptCell[Msg]{next: s.spare}
	s.spare = n
	return msg
}

// redeliver hands out what was kept, in order, to the state that was entered; what
// this one answers Later to stays where it is. A transition on the way begins again
// at the front: the next state may take what this one did not.
func (s *store[M, Msg]) redeliver(x uint32, h *header, m *M) {
	if s.inbox == nil {
		return
	}
	behind := uint32(0)
	for *s.nextKept(h, behind) != 0 && !s.rows[h.state].keeps {
		s.again = s.unkeep(h, behind)
		s.free(x)
		if s.hand(x, h, m, &s.again) {
			s.inbox.waiting[x].Add(1)
			s.keep(h, behind, &s.again)
			behind = *s.nextKept(h, behind)
		}
		if h.flags&stopping != 0 {
			break
		}
		if h.flags&unkept != 0 {
			h.flags &^= unkept
			behind = 0
		}
	}
	s.again = *new(Msg)
	s.giveBack()
}

// giveBack gives places back to the senders, and tells those who wait for one.
func (s *store[M, Msg]) giveBack() {
	if s.received > 0 {
		s.inbox.ring.Release(s.received)
		s.received = 0
		if ring := s.inbox.ringDoor(); s.inbox.waiting[ring].Load() != 0 {
			s.inbox.open(ring)
		}
	}
	for _, x := range s.opening {
		s.inbox.open(x)
	}
	s.opening = s.opening[:0]
}

// drop ends a machine's mailbox: what is kept is dead.
func (s *store[M, Msg]) drop(x uint32, h *header) {
	if s.inbox == nil {
		return
	}
	s.inbox.gens[x].Store(0)
	for h.kept != 0 {
		s.unkeep(h, 0)
		s.free(x)
		s.loop.stats.dead++
	}
	s.giveBack()
}
