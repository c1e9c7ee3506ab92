package reactor

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/mailbox"
)

// The mailboxes of a kind's machines on one loop share a ring of cells; each
// machine's own bound is a count. A kind with 100,000 idle machines has so one
// ring, and not 100,000.

// inbox is where messages to a kind's machines on one loop go.
type inbox[Msg any] struct {
	ring    *mailbox.Ring[cell[Msg]]
	loop    *Loop
	most    int32
	gens    []atomic.Uint32 // by slot: the generation that takes messages, 0: none
	waiting []atomic.Int32  // by slot: messages accepted and not handled

	closed   atomic.Bool // the loop is over
	mu       sync.Mutex
	refused  []*Loop // loops with machines that were refused
	refusing atomic.Bool
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
	return &inbox[Msg]{ring: ring, loop: l, most: int32(opt.Mailbox),
		gens: make([]atomic.Uint32, l.cfg.Slots), waiting: make([]atomic.Int32, l.cfg.Slots)}, nil
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
	if in.waiting[x].Add(1) > in.most {
		in.waiting[x].Add(-1)
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
	in.waiting[x].Add(-1)
	return err
}

// Post is Send from a handler: cheaper on the same loop, and after ErrFull closes
// the gate fsm.Sendable until there is room.
func (r Ref[Msg]) Post(cx *IO, m Msg) error {
	err := r.put(m, r.in == nil || r.in.loop != cx.loop)
	if err == nil {
		cx.moved()
	} else if err == ErrFull {
		cx.loop.refuse(cx.x, cx.h, r.in, r.to)
	}
	return err
}

// refusal is a machine that waits for room in a mailbox.
type refusal struct {
	who Token
	by  refuser
	to  Token
}

// refuser is an inbox of whatever messages.
type refuser interface {
	hasRoom(Token) bool
	tell(*Loop)
}

// refuse closes Sendable. What is recorded is looked at after every batch, so that
// room that comes and goes between two looks is not missed.
func (l *Loop) refuse(x uint32, h *header, by refuser, to Token) {
	h.flags |= noRoom
	who := l.slots.TokenAt(x)
	for _, r := range l.blocked {
		if r.who == who && r.to == to {
			return
		}
	}
	h.gates &^= uint8(fsm.Sendable)
	h.refusedBy++
	l.blocked = append(l.blocked, refusal{who, by, to})
	by.tell(l)
	l.room.Store(true) // it may have got room meanwhile
}

// tell asks to be told, once, when this inbox has given places back.
func (in *inbox[Msg]) tell(l *Loop) {
	if l == in.loop {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, r := range in.refused {
		if r == l {
			return
		}
	}
	in.refused = append(in.refused, l)
	in.refusing.Store(true)
}

func (in *inbox[Msg]) hasRoom(t Token) bool {
	x := t.Index()
	return in.gens[x].Load() != t.Generation() || in.waiting[x].Load() < in.most && in.ring.Len() < in.ring.Cap()
}

// gaveBack tells the loops whose machines were refused that there is room.
func (in *inbox[Msg]) gaveBack() {
	if len(in.loop.blocked) > 0 {
		in.loop.room.Store(true)
	}
	if !in.refusing.Load() {
		return
	}
	in.mu.Lock()
	loops := in.refused
	in.refused = nil
	in.refusing.Store(false)
	in.mu.Unlock()
	for _, l := range loops {
		l.room.Store(true)
		l.sleeper.Wake()
	}
}

// reopen opens Sendable for machines that no full mailbox refuses any more.
func (l *Loop) reopen() {
	l.room.Store(false)
	keep := l.blocked[:0]
	for _, r := range l.blocked {
		h := l.live(r.who)
		if h == nil {
			continue
		}
		if !r.by.hasRoom(r.to) {
			// Ask first, look again after: room that came in between was told to nobody.
			if r.by.tell(l); !r.by.hasRoom(r.to) {
				keep = append(keep, r)
				continue
			}
		}
		if h.refusedBy--; h.refusedBy == 0 {
			h.gates |= uint8(fsm.Sendable)
			l.rouse(r.who.Index(), h)
		}
	}
	clear(l.blocked[len(keep):])
	l.blocked = keep
}

// receive delivers a batch of messages of each kind.
func (l *Loop) receive() {
	for ; l.kindAt < len(l.stores); l.kindAt++ {
		l.stores[l.kindAt].deliver(l.cfg.Batch)
	}
	l.kindAt = 0
	if l.room.Load() {
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
	for s.inbox.ring.Recv(&s.cell) {
		s.loop.stats.dead++
		s.free(s.cell.to.Index())
	}
	s.giveBack()
}

// free gives back a handled message's place.
func (s *store[M, Msg]) free(x uint32) {
	s.inbox.waiting[x].Add(-1)
	s.toFree++
}

// deliver hands out messages, and gives their places back in one go. The count is
// the store's, so that a panic on the way does not lose it.
func (s *store[M, Msg]) deliver(most int) {
	if s.inbox == nil {
		return
	}
	for ; most > 0 && s.inbox.ring.Recv(&s.cell); most-- {
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
				s.toFree--
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
	h.heardAt = s.loop.now
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
// place in the mailbox.
type keptCell[Msg any] struct {
	next uint32
	msg  Msg
}

// keep puts a message behind the kept one of that number; behind 0 is the front.
func (s *store[M, Msg]) keep(h *header, behind uint32, msg *Msg) {
	if s.kept == nil {
		// Places are held until a message is handled, so the ring's capacity bounds this.
		s.kept = make([]keptCell[Msg], 0, s.inbox.ring.Cap()+1)
	}
	n := s.spare
	if n != 0 {
		s.spare = s.kept[n-1].next
	} else {
		s.kept = append(s.kept, keptCell[Msg]{})
		n = uint32(len(s.kept))
	}
	next := s.nextKept(h, behind)
	*next, s.kept[n-1] = n, keptCell[Msg]{next: *next, msg: *msg}
	if behind == h.keptLast {
		h.keptLast = n
	}
}

// nextKept is where the number of the message behind one is.
func (s *store[M, Msg]) nextKept(h *header, behind uint32) *uint32 {
	if behind == 0 {
		return &h.kept
	}
	return &s.kept[behind-1].next
}

// unkeep takes the message behind one out.
func (s *store[M, Msg]) unkeep(h *header, behind uint32) Msg {
	next := s.nextKept(h, behind)
	n := *next
	k := &s.kept[n-1]
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
			s.toFree--
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

func (s *store[M, Msg]) giveBack() {
	if s.toFree > 0 {
		s.inbox.ring.Release(s.toFree)
		s.toFree = 0
		s.inbox.gaveBack()
	}
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
