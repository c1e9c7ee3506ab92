package reactor

import (
	"errors"
	"fmt"

	"github.com/stator-go/stator/fsm"
)

// base is the part of a store that knows no types.
type base struct {
	machines
	loop   *Loop
	name   string
	number uint16
	opt    *Options
	rows   []rowInfo
	hears  bool // every state has a Down handler
	full   *fullErrors
	nports uint32
	ports  []port // nports a row
	unused []uint32
	used   uint32 // rows above were never touched
	live   int
	most   int
}

// machines is what the loop asks of a store: all that calls handlers.
type machines interface {
	run(x uint32, h *header)
	lead(x uint32, h *header, to State, why error)
	fired(x uint32, h *header, t Fired)
	signalled(x uint32, h *header, set Signals)
	down(x uint32, h *header, d Down)
	deliver(most int)
	closeInbox()
	inboxEmpty() bool
	exit(x uint32, h *header)
	drop(x uint32, h *header)
	vacate(local uint32)
	described() AnyKind
}

// store holds a kind's machines on one loop.
type store[M, Msg any] struct {
	base
	kind     *Kind[M, Msg]
	ms       []M
	cx       Context[Msg]
	inbox    *inbox[Msg]
	cell     cell[Msg]
	kept     []*[keptPage]keptCell[Msg] // messages kept by Defer and Later, in pages made as they come
	keptUsed uint32                     // cells above were never touched
	spare    uint32                     // free list in kept, as a number
	again    Msg
	received int      // messages whose cells of the ring are to be given back
	opening  []uint32 // machines whose mailboxes somebody waits for, and that have room now
}

// storeOf is the kind's store on the loop, made at the first use.
func storeOf[M, Msg any](l *Loop, k *Kind[M, Msg]) (*store[M, Msg], error) {
	if s, ok := l.byKind[k]; ok {
		return s.(*store[M, Msg]), nil
	}
	if len(l.stores) == 1<<16 {
		return nil, fmt.Errorf("65,536 kinds on one loop: %w", ErrFull)
	}
	most := min(l.cfg.Slots, k.opt.Most)
	if k.opt.Most == 0 {
		most = l.cfg.Slots
	}
	s := &store[M, Msg]{kind: k, ms: make([]M, most)}
	n := len(k.opt.Ports)
	s.base = base{
		machines: s, loop: l, name: k.name, number: uint16(len(l.stores)), opt: &k.opt, rows: k.info, hears: k.hears, full: &k.full,
		nports: uint32(n), ports: make([]port, most*n), most: most,
	}
	s.cx = Context[Msg]{IO: IO{loop: l, st: &s.base}}
	if takesMessages[Msg]() {
		var err error
		if s.inbox, err = newInbox[Msg](l, &k.opt); err != nil {
			return nil, err
		}
		s.cx.inbox = s.inbox
	}
	if l.witness != nil {
		s.kind = k.witnessed()
	}
	l.stores = append(l.stores, &s.base)
	l.byKind[k] = s
	return s, nil
}

// admit gives a new machine a slot and a row; it is born when its turn comes.
func (b *base) admit() (uint32, *header, error) {
	l := b.loop
	switch {
	case l.ending:
		return 0, nil, ErrClosed
	case b.live == b.most:
		return 0, nil, ErrFull
	}
	t, h, err := l.slots.Insert()
	if err != nil {
		return 0, nil, ErrFull
	}
	if n := len(b.unused); n > 0 {
		h.local, b.unused = b.unused[n-1], b.unused[:n-1]
	} else {
		h.local = b.used
		b.used++
	}
	b.live++
	h.kind = b.number
	h.gates = uint8(fsm.AllGates)
	h.flags = newborn | unarmed
	if l.leaving {
		h.flags |= leaving
	}
	return t.Index(), h, nil
}

// spawn copies a prototype into a new machine.
func (s *store[M, Msg]) spawn(m *M) (uint32, error) {
	x, h, err := s.admit()
	if err != nil {
		return 0, err
	}
	s.ms[h.local] = *m
	if s.inbox != nil {
		s.inbox.gens[x].Store(s.loop.slots.TokenAt(x).Generation())
	}
	s.loop.queue(x, h)
	return x, nil
}

func (s *store[M, Msg]) vacate(local uint32) {
	s.ms[local] = *new(M)
	s.unused = append(s.unused, local)
	s.live--
}

func (s *store[M, Msg]) described() AnyKind { return s.kind }

func (s *store[M, Msg]) ref(x uint32) Ref[Msg] {
	return Ref[Msg]{s.inbox, s.loop.slots.TokenAt(x)}
}

// on points the context at a machine.
func (s *store[M, Msg]) on(x uint32, h *header) *M {
	s.cx.x, s.cx.h = x, h
	return &s.ms[h.local]
}

// run calls a machine while it has something to do and makes progress, for
// Config.Steps calls at the most.
func (s *store[M, Msg]) run(x uint32, h *header) {
	l := s.loop
	m := s.on(x, h)
	for steps := l.cfg.Steps; ; {
		if h.flags&attention != 0 && !s.attend(x, h, m) {
			break
		}
		told := s.told(h)
		if told == 0 || h.flags&stuck != 0 {
			// What is sent now may be what a machine that declined waits for.
			if l.flush(); h.flags&(broken|unkept) != 0 || s.told(h)&^told != 0 {
				h.flags &^= stuck
				continue
			}
			if h.flags&(leaving|dead|stopping) == leaving && s.leave(x, h, m) {
				continue
			}
			break
		}
		if steps == 0 {
			l.queue(x, h)
			break
		}
		steps--
		l.progress = false
		next := call(s, x, m, s.kind.rows[h.state].Ready, told)
		if next == fsm.Pass { // row Any's handler lies in another cache line
			if any := s.kind.rows[fsm.Any].Ready; any != nil {
				next = call(s, x, m, any, told)
			}
		}
		if l.peeked != 0 && l.sawAll(h) {
			l.progress = true // the next look finds something else: the end, or an Inbox that is full
		}
		switch {
		case next != fsm.Stay:
			s.answer(x, h, m, next)
		case !l.progress && s.told(h) == told:
			h.flags |= stuck
		}
	}
	l.rest(x, h)
}

// told is what of a machine's readiness its row waits for, gates considered.
func (b *base) told(h *header) (told fsm.Ready) {
	if wait, ready := b.rows[h.state].wait, fsm.Ready(h.ready); wait&ready != 0 {
		told = wait.Deliver(ready, fsm.Gate(h.gates))
	}
	return told
}

// attend does what stands before readiness; false ends the run.
func (s *store[M, Msg]) attend(x uint32, h *header, m *M) bool {
	l := s.loop
	switch {
	case h.flags&dead != 0:
		return false
	case h.flags&stopping != 0:
		l.drainPorts(x, h)
		return false
	case h.flags&newborn != 0:
		h.flags &^= newborn
		s.born(x, h, m)
	case h.flags&broken != 0:
		h.flags &^= broken
		s.failed(x, h, m)
	case h.flags&unkept != 0:
		h.flags &^= unkept
		s.redeliver(x, h, m)
	}
	return h.flags&(dead|stopping) == 0
}

// leave takes the Shutdown edge of a machine for which nothing is ready.
func (s *store[M, Msg]) leave(x uint32, h *header, m *M) bool {
	to := s.rows[h.state].shutdown
	if to == fsm.Stay || to == State(h.state) {
		return false
	}
	s.loop.testify(x, h, CauseShutdown)
	if to == fsm.Stop {
		s.loop.reason = ErrShutdown
	}
	s.answer(x, h, m, to)
	return true
}

// failed takes the Fail edge for an error that came outside of a call.
func (s *store[M, Msg]) failed(x uint32, h *header, m *M) {
	l := s.loop
	for p := Port(0); uint32(p) < s.nports; p++ {
		if pt := s.port(h, p); pt.err != 0 && pt.flags&told == 0 {
			pt.flags |= told
			l.refresh(h, p, pt)
			h.flags |= broken // there may be another one
			s.answer(x, h, m, s.cx.Fail(l.errs.of(pt.err)))
			return
		}
	}
}

func (s *store[M, Msg]) born(x uint32, h *header, m *M) {
	l := s.loop
	now := l.drv.Now()
	h.heardAt = now
	h.lifeAt = after(now, s.rows[fsm.Any].within.D)
	l.calling = x + 1
	to := State(0)
	if enter := s.kind.rows[fsm.Any].Enter; enter != nil {
		to = enter(m, &s.cx)
	}
	l.calling, l.peeked = 0, 0
	switch {
	case to == fsm.Stay:
		to = s.opt.Start
	case to != fsm.Stop && !s.rows[fsm.Any].to.Has(to):
		to = s.cx.Stop(s.undeclared(h, to))
	}
	s.move(x, h, m, to)
}

// lead moves a machine by the loop's own decision: a deadline.
func (s *store[M, Msg]) lead(x uint32, h *header, to State, why error) {
	m := s.on(x, h)
	h.circles = 0
	s.loop.reason = why
	s.answer(x, h, m, to)
	s.loop.settle(x, h)
}

// answer does what a handler answered.
func (s *store[M, Msg]) answer(x uint32, h *header, m *M, next State) {
	switch {
	case next == fsm.Stay || h.flags&(dead|stopping) != 0:
		s.loop.reason = nil
		return
	case next == fsm.Pass || next == fsm.Later:
		next = s.cx.Stop(s.misuse(next.String(), "it answers nothing here"))
	case next != fsm.Stop && !s.rows[h.state].to.Has(next):
		next = s.cx.Stop(s.undeclared(h, next))
	}
	s.move(x, h, m, next)
}

// move is the one place that moves a machine's state: Exit, the row, Enter, as
// often as Enter leads on.
func (s *store[M, Msg]) move(x uint32, h *header, m *M, next State) {
	l := s.loop
	for depth := 0; next != fsm.Stay; depth++ {
		if h.circles++; h.circles > 64 && next != fsm.Stop {
			next = s.cx.Stop(ErrSpin)
		}
		if depth > 8 && next != fsm.Stop {
			next = s.cx.Stop(ErrEnterLoop)
		}
		reason := l.reason
		if h.state != 0 && next != fsm.Stop {
			s.leaveRow(x, h, m, State(h.state))
		}
		if o := l.cfg.Observer; o != nil {
			l.calling = x + 1 // its panic is as a handler's
			o.Moved(l.slots.TokenAt(x), s.kind, State(h.state), next)
			l.calling = 0
		}
		if next == fsm.Stop {
			l.reason = reason
			l.stop(x, h)
			return
		}
		l.entered(x, h, next)
		enter := s.kind.rows[next].Enter
		if next = fsm.Stay; enter != nil {
			from := State(h.state)
			l.calling = x + 1
			next = enter(m, &s.cx)
			l.calling, l.peeked = 0, 0 // what Enter looks at is shown to Ready all the same
			if next != fsm.Stay && next != fsm.Stop && !s.rows[from].to.Has(next) {
				next = s.cx.Stop(s.undeclared(h, next))
			}
		}
	}
	l.reason = nil
}

func (s *store[M, Msg]) leaveRow(x uint32, h *header, m *M, row State) {
	exit := s.kind.rows[row].Exit
	if exit == nil {
		return
	}
	runs := exiting
	if row == fsm.Any {
		runs = exitingAny
	}
	h.flags |= runs
	s.loop.calling = x + 1
	exit(m, &s.cx)
	s.loop.calling = 0
	s.loop.peeked = 0
	h.flags &^= runs
}

// exit runs the Exit handlers of a machine that ends: its state's, then row Any's.
// One that panicked is not called again.
func (s *store[M, Msg]) exit(x uint32, h *header) {
	if h.flags&newborn != 0 {
		return
	}
	m := s.on(x, h)
	if h.state != 0 && h.flags&(exiting|exitingAny) == 0 {
		s.leaveRow(x, h, m, State(h.state))
	}
	if h.flags&exitingAny == 0 {
		s.leaveRow(x, h, m, fsm.Any)
	}
}

func (s *store[M, Msg]) fired(x uint32, h *header, t Fired) {
	tell(s, x, h, s.kind.rows[h.state].Timer, s.kind.rows[fsm.Any].Timer, t)
}

func (s *store[M, Msg]) signalled(x uint32, h *header, set Signals) {
	tell(s, x, h, s.kind.rows[h.state].Signal, s.kind.rows[fsm.Any].Signal, set)
}

func (s *store[M, Msg]) down(x uint32, h *header, d Down) {
	tell(s, x, h, s.kind.rows[h.state].Down, s.kind.rows[fsm.Any].Down, d)
}

// tell gives an event to its state's handler, or to row Any's when that passes. The
// event itself is progress.
func tell[M, Msg, E any](s *store[M, Msg], x uint32, h *header, own, anys func(*M, *Context[Msg], E) State, event E) {
	if own == nil {
		return
	}
	m := s.on(x, h)
	next := call(s, x, m, own, event)
	if next == fsm.Pass && anys != nil {
		next = call(s, x, m, anys, event)
	}
	h.circles = 0
	s.loop.sawAll(h)
	s.answer(x, h, m, next)
	s.loop.settle(x, h)
}

// call gives an event to a handler, with a mark that tells a panic of its from one
// of the loop's own.
func call[M, Msg, E any](s *store[M, Msg], x uint32, m *M, handler func(*M, *Context[Msg], E) State, event E) State {
	s.loop.calling = x + 1
	next := handler(m, &s.cx, event)
	s.loop.calling = 0
	return next
}

func (s *store[M, Msg]) undeclared(h *header, to State) error {
	return fmt.Errorf("reactor: %s: state %q answered %s, which its To does not name: %w",
		s.name, s.kind.table.NameOf(State(h.state)), s.kind.table.NameOf(to), ErrEdge)
}

func (s *store[M, Msg]) misuse(answer, why string) error {
	return errors.New("reactor: " + s.name + ": answer " + answer + ": " + why)
}
