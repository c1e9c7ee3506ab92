package reactor

import (
	"errors"
	"fmt"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/sig"
)

// store has the machines of a kind on one loop: it is the typed half of machine.go, and in
// the same order.
type store[M, Msg any] struct {
	base
	kind       *Kind[M, Msg]
	machines   lazyTable[M]
	cx         Context[Msg]
	inbox      *inbox[Msg]
	cell       cell[Msg]
	stashPages []*[stashPage]stashCell[Msg] // deferred messages
	stashUsed  uint32                       // cells from here on were never used
	stashFree  uint32                       // first free cell, as a number
	restashed  Msg
	taken      int      // messages whose places in the ring are to be given back
	roomIn     []uint32 // machines whose mailbox has room now, and is waited for
}

// storeOf returns the kind's store on the loop, which is made at its first use.
func storeOf[M, Msg any](l *Loop, k *Kind[M, Msg]) (*store[M, Msg], error) {
	if s, ok := l.byKind[k]; ok {
		return s.(*store[M, Msg]), nil
	}
	if len(l.stores) == 1<<16 {
		return nil, fmt.Errorf("65,536 kinds on one loop: %w", ErrFull)
	}
	most := min(l.cfg.Slots, k.opt.MaxMachines)
	if k.opt.MaxMachines == 0 {
		most = l.cfg.Slots
	}
	s := &store[M, Msg]{kind: k, machines: newLazyTable[M](most)}
	n := len(k.opt.Ports)
	s.base = base{
		handlers: s, loop: l, name: k.name, number: uint16(len(l.stores)), opt: &k.opt, rows: k.info, handlesDown: k.handlesDown, full: &k.full,
		nports: uint32(n), ports: pages.Alloc[Loop, port](l, most*n), most: most, plenty: plentyOf(l.pool.limit, &k.opt),
	}
	s.cx = Context[Msg]{IO: IO{loop: l, st: &s.base}}
	if takesMessages[Msg]() {
		var err error
		if s.inbox, err = newInbox[Msg](l, &k.opt); err != nil {
			return nil, err
		}
		s.cx.at = s.inbox.address
	}
	if l.tracer != nil {
		s.kind = k.traced()
	}
	l.stores = append(l.stores, &s.base)
	l.byKind[k] = s
	return s, nil
}

// spawn makes a machine that is a copy of a prototype.
func (s *store[M, Msg]) spawn(m *M) (uint32, error) {
	x, h, err := s.admit()
	if err != nil {
		return 0, err
	}
	*s.machines.make(h.local) = *m
	if s.inbox != nil {
		s.inbox.gens[x].Store(s.loop.slots.TokenAt(x).Generation())
	}
	s.loop.queue.push(x, h)
	return x, nil
}

func (s *store[M, Msg]) ref(x uint32) Ref[Msg] {
	return Ref[Msg]{s.cx.at, s.loop.slots.TokenAt(x)}
}

// at makes the context one of a machine's, and returns the machine.
func (s *store[M, Msg]) at(x uint32, h *header) *M {
	s.cx.x, s.cx.h = x, h
	return s.machines.at(h.local)
}

// enterFirst runs OnEnter of row Any, and enters the first state.
func (s *store[M, Msg]) enterFirst(x uint32, h *header, m *M) {
	l := s.loop
	now := l.drv.Now()
	h.activeAt = now
	h.lifeAt = after(now, s.rows[fsm.Any].within.D)
	l.call.machine = x + 1
	to := State(0)
	if enter := s.kind.rows[fsm.Any].OnEnter; enter != nil {
		to = enter(m, &s.cx)
	}
	l.call.machine, l.call.peeked = 0, 0
	switch {
	case to == fsm.Stay:
		to = s.opt.Start
	case to != fsm.Stop && !s.rows[fsm.Any].to.Has(to):
		to = s.cx.Stop(s.undeclared(h, to))
	}
	s.move(x, h, m, to)
}

// run calls a machine while there is something for it and it makes progress, until it has
// had Config.Steps calls, or its share of the bytes of the turn.
func (s *store[M, Msg]) run(x uint32, h *header) {
	l := s.loop
	m := s.at(x, h)
	bytesEnd := l.stats.moved() + l.turn.share
	for steps := l.cfg.Steps; ; {
		if h.flags&mAttention != 0 && !s.attend(x, h, m) {
			break
		}
		told := s.deliverable(h)
		if told == 0 || h.flags&mNoProgress != 0 {
			// Sending its output may make something ready that the machine waits for.
			if l.flush(h); h.flags&(mErrorPending|mRestash) != 0 || s.deliverable(h)&^told != 0 {
				h.flags &^= mNoProgress
				continue
			}
			if h.flags&(mShuttingDown|mDead|mStopping) == mShuttingDown && s.leave(x, h, m) {
				continue
			}
			break
		}
		if steps == 0 || l.stats.moved() >= bytesEnd {
			l.queue.push(x, h)
			break
		}
		steps--
		l.call.progress = false
		next := call(s, x, m, s.kind.rows[h.state].OnReady, told)
		if next == fsm.Pass { // looked up here only, as it is in another cache line
			if any := s.kind.rows[fsm.Any].OnReady; any != nil {
				next = call(s, x, m, any, told)
			}
		}
		if l.call.peeked != 0 && l.markSeen(h) {
			l.call.progress = true // the next call finds something else: the end, or a full read buffer
		}
		switch {
		case next != fsm.Stay:
			s.answer(x, h, m, next)
		case !l.call.progress && s.deliverable(h) == told:
			h.flags |= mNoProgress
		}
	}
	l.flush(h)
	l.endCalls(x, h)
}

// attend does what comes before readiness. It returns false if the machine has ended.
func (s *store[M, Msg]) attend(x uint32, h *header, m *M) bool {
	l := s.loop
	switch {
	case h.flags&mDead != 0:
		return false
	case h.flags&mStopping != 0:
		l.drainPorts(x, h)
		return false
	case h.flags&mNewborn != 0:
		h.flags &^= mNewborn
		s.enterFirst(x, h, m)
	case h.flags&mErrorPending != 0:
		h.flags &^= mErrorPending
		s.failed(x, h, m)
	case h.flags&mRestash != 0:
		h.flags &^= mRestash
		s.redeliver(x, h, m)
	}
	return h.flags&(mDead|mStopping) == 0
}

// failed takes the Fail transition for an error that came outside of a call.
func (s *store[M, Msg]) failed(x uint32, h *header, m *M) {
	l := s.loop
	for p := Port(0); uint32(p) < s.nports; p++ {
		pt := s.port(h, p)
		if pt.err == 0 || pt.flags&(pReported|pFailTaken) != 0 {
			continue
		}
		if l.errorFollowsInput(h, p, pt) {
			h.flags |= mReshow // another state may not read it
			continue
		}
		pt.flags |= pFailTaken
		h.flags |= mErrorPending // another port may have one
		s.answer(x, h, m, s.cx.Fail(l.errorOf(x, p, pt)))
		return
	}
}

// leave takes the Shutdown transition of a machine for which nothing is ready.
func (s *store[M, Msg]) leave(x uint32, h *header, m *M) bool {
	to := s.rows[h.state].shutdown
	if to == fsm.Stay || to == State(h.state) {
		return false
	}
	s.loop.trace(x, h, EventShutdown)
	if to == fsm.Stop {
		s.loop.call.reason = ErrShutdown
	}
	s.answer(x, h, m, to)
	return true
}

// follow takes a transition that no handler returned: that of a deadline.
func (s *store[M, Msg]) follow(x uint32, h *header, to State, why error) {
	m := s.at(x, h)
	h.spinCount = 0
	s.loop.call.reason = why
	s.answer(x, h, m, to)
	s.loop.settle(x, h)
}

func (s *store[M, Msg]) fired(x uint32, h *header, t Fired) {
	tell(s, x, h, s.kind.rows[h.state].OnTimer, s.kind.rows[fsm.Any].OnTimer, t)
}

func (s *store[M, Msg]) signalled(x uint32, h *header, set sig.Set) {
	tell(s, x, h, s.kind.rows[h.state].OnSignal, s.kind.rows[fsm.Any].OnSignal, set)
}

func (s *store[M, Msg]) down(x uint32, h *header, d Down) {
	tell(s, x, h, s.kind.rows[h.state].OnDown, s.kind.rows[fsm.Any].OnDown, d)
}

// tell calls the handler of an event: the state's, and row Any's if that one passes. Such an
// event is progress.
func tell[M, Msg, E any](s *store[M, Msg], x uint32, h *header, own, anys func(*M, *Context[Msg], E) State, event E) {
	if own == nil {
		return
	}
	m := s.at(x, h)
	next := call(s, x, m, own, event)
	if next == fsm.Pass && anys != nil {
		next = call(s, x, m, anys, event)
	}
	h.spinCount = 0
	s.loop.markSeen(h)
	s.answer(x, h, m, next)
	s.loop.settle(x, h)
}

// call calls a handler. Its machine is noted, so that a panic of the handler can be told from
// one of the loop.
func call[M, Msg, E any](s *store[M, Msg], x uint32, m *M, handler func(*M, *Context[Msg], E) State, event E) State {
	s.loop.call.machine = x + 1
	next := handler(m, &s.cx, event)
	s.loop.call.machine = 0
	return next
}

// answer does what a handler returned.
func (s *store[M, Msg]) answer(x uint32, h *header, m *M, next State) {
	switch {
	case next == fsm.Stay || h.flags&(mDead|mStopping) != 0:
		s.loop.call.reason = nil
		return
	case next == fsm.Pass || next == fsm.Defer:
		next = s.cx.Stop(s.misuse(next.String(), "it answers nothing here"))
	case next != fsm.Stop && !s.rows[h.state].to.Has(next):
		next = s.cx.Stop(s.undeclared(h, next))
	}
	s.move(x, h, m, next)
}

// move is the only place where a machine's state changes: OnExit, the new row, OnEnter, and
// again if OnEnter returns another state.
func (s *store[M, Msg]) move(x uint32, h *header, m *M, next State) {
	l := s.loop
	for depth := 0; next != fsm.Stay; depth++ {
		if h.spinCount++; h.spinCount > 64 && next != fsm.Stop {
			next = s.cx.Stop(ErrSpin)
		}
		if depth > 8 && next != fsm.Stop {
			next = s.cx.Stop(ErrEnterLoop)
		}
		reason := l.call.reason
		if h.state != 0 && next != fsm.Stop {
			s.runExit(x, h, m, State(h.state))
		}
		if o := l.cfg.Observer; o != nil {
			l.call.machine = x + 1 // a panic of the observer counts as a handler's
			o.Moved(l.slots.TokenAt(x), s.kind, State(h.state), next)
			l.call.machine = 0
		}
		if next == fsm.Stop {
			l.call.reason = reason
			l.stop(x, h)
			return
		}
		l.enteredState(x, h, next)
		enter := s.kind.rows[next].OnEnter
		if next = fsm.Stay; enter != nil {
			from := State(h.state)
			l.call.machine = x + 1
			next = enter(m, &s.cx)
			l.call.machine, l.call.peeked = 0, 0 // input that OnEnter looked at is still shown to OnReady
			if next != fsm.Stay && next != fsm.Stop && !s.rows[from].to.Has(next) {
				next = s.cx.Stop(s.undeclared(h, next))
			}
		}
	}
	l.call.reason = nil
}

// runExit runs the OnExit of a row, if there is one.
func (s *store[M, Msg]) runExit(x uint32, h *header, m *M, row State) {
	exit := s.kind.rows[row].OnExit
	if exit == nil {
		return
	}
	runs := mExiting
	if row == fsm.Any {
		runs = mExitingAny
	}
	h.flags |= runs
	s.loop.call.machine = x + 1
	exit(m, &s.cx)
	s.loop.call.machine = 0
	s.loop.call.peeked = 0
}

// runExits runs the OnExit of a machine that ends: its state's, then row Any's. One that has
// run, or panicked, is not called again.
func (s *store[M, Msg]) runExits(x uint32, h *header) {
	if h.flags&mNewborn != 0 {
		return
	}
	m := s.at(x, h)
	if h.state != 0 && h.flags&(mExiting|mExitingAny) == 0 {
		s.runExit(x, h, m, State(h.state))
	}
	if h.flags&mExitingAny == 0 {
		s.runExit(x, h, m, fsm.Any)
	}
}

func (s *store[M, Msg]) freeEntry(local uint32) {
	*s.machines.at(local) = *new(M)
	s.unused = append(s.unused, local)
	s.live--
}

func (s *store[M, Msg]) anyKind() AnyKind { return s.kind }

func (s *store[M, Msg]) undeclared(h *header, to State) error {
	return fmt.Errorf("reactor: %s: state %q answered %s, which its To does not name: %w",
		s.name, s.kind.table.NameOf(State(h.state)), s.kind.table.NameOf(to), ErrEdge)
}

func (s *store[M, Msg]) misuse(answer, why string) error {
	return errors.New("reactor: " + s.name + ": answer " + answer + ": " + why)
}
