package reactor

// stashCell is a message that was deferred until its machine's state changes. It keeps its
// place in the mailbox, which bounds how many there are.
type stashCell[Msg any] struct {
	next uint32
	msg  Msg
}

// stashPage is how many stash cells are allocated at a time.
const stashPage = 256

// stash puts a message behind the stashed one with that number; behind 0 is the front.
func (s *store[M, Msg]) stash(h *header, behind uint32, msg *Msg) {
	n := s.stashFree
	if n != 0 {
		s.stashFree = s.stashAt(n).next
	} else {
		if s.stashUsed%stashPage == 0 {
			s.stashPages = append(s.stashPages, new([stashPage]stashCell[Msg]))
		}
		s.stashUsed++
		n = s.stashUsed
	}
	next := s.nextStashed(h, behind)
	*next, *s.stashAt(n) = n, stashCell[Msg]{next: *next, msg: *msg}
	if behind == h.stashLast {
		h.stashLast = n
	}
}

// unstash takes out the message behind the one with that number.
func (s *store[M, Msg]) unstash(h *header, behind uint32) Msg {
	next := s.nextStashed(h, behind)
	n := *next
	k := s.stashAt(n)
	msg := k.msg
	if *next = k.next; n == h.stashLast {
		h.stashLast = behind
	}
	*k = stashCell[Msg]{next: s.stashFree}
	s.stashFree = n
	return msg
}

// redeliver hands out the stashed messages, in their order, to the state that was entered.
// A message that is deferred again stays where it is. After a transition it begins at the
// front again, as the new state may take what the last one did not.
func (s *store[M, Msg]) redeliver(x uint32, h *header, m *M) {
	if s.inbox == nil {
		return
	}
	behind := uint32(0)
	for *s.nextStashed(h, behind) != 0 && !s.rows[h.state].defers {
		s.restashed = s.unstash(h, behind)
		s.freePlace(x)
		if s.deliverOne(x, h, m, &s.restashed) {
			s.inbox.waiting[x].Add(1)
			s.stash(h, behind, &s.restashed)
			behind = *s.nextStashed(h, behind)
		}
		if h.flags&mStopping != 0 {
			break
		}
		if h.flags&mRestash != 0 {
			h.flags &^= mRestash
			behind = 0
		}
	}
	s.restashed = *new(Msg)
	s.releaseRing()
}

// stashAt returns the cell with a number. Numbers begin at 1.
func (s *store[M, Msg]) stashAt(n uint32) *stashCell[Msg] {
	return &s.stashPages[(n-1)/stashPage][(n-1)%stashPage]
}

// nextStashed returns where the number of the message behind one stands.
func (s *store[M, Msg]) nextStashed(h *header, behind uint32) *uint32 {
	if behind == 0 {
		return &h.stash
	}
	return &s.stashAt(behind).next
}
