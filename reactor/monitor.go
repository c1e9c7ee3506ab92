package reactor

import "fmt"

// A machine may ask to be told of another one's end. What is asked for stands in
// two lists, the watched machine's and the watching one's, so that either may end
// first; a third one, in the order of the ends, holds what is to be told.

// watch is one machine's wish to be told of another's end.
type watch struct {
	by, of Token
	why    error
	due    bool     // the end has come
	lists  [2]links // of the watched machine, then of the ends to be told; of the watching one
}

// links are the numbers of a list's neighbours, as index+1.
type links struct{ prev, next uint32 }

// The lists that a watch is in, as indices of watch.lists.
const (
	ofIts = iota
	byIts
)

// watches are all of a loop's.
type watches struct {
	all  []watch // grows up to the limit
	most int
	free uint32      // as index+1, by lists[ofIts].next
	ofs  [2][]uint32 // by slot: the heads of a machine's lists; made at the first Monitor
	due  uint32      // the first end to be told
	last uint32      // the last one
	dues int         // how many there are
}

// Monitor asks that the end of a machine of this loop be told to this one's Down
// handler, once, with its reason: in the turn in which its Exit has run, or the
// next one, which may be before messages that it sent. A machine that has ended
// already is told as ErrStale. Asking again while the first wish stands changes
// nothing. ErrForeign for a token of another loop; ErrFull at Config.Monitors.
func (c *IO) Monitor(t Token) error {
	l := c.loop
	switch {
	case !c.inside():
		return ErrOutside
	case t.Loop() != l.id:
		return fmt.Errorf("reactor: monitor %v: %w", t, ErrForeign)
	case !c.st.hears:
		return fmt.Errorf("reactor: monitor: %s has no Down handler: want one in row Any, or in every state", c.st.name)
	}
	w := &l.watches
	for n := w.head(byIts, c.x); n != 0; n = w.all[n-1].lists[byIts].next {
		if w.all[n-1].of == t {
			return nil
		}
	}
	n, ok := w.take(l.cfg.Slots)
	if !ok {
		return fmt.Errorf("reactor: monitor: Config.Monitors: %w", ErrFull)
	}
	w.all[n-1] = watch{by: c.Token(), of: t}
	w.push(byIts, &w.ofs[byIts][c.x], n)
	if h := l.live(t); h != nil && h.flags&stopping == 0 {
		w.push(ofIts, &w.ofs[ofIts][t.Index()], n)
	} else {
		w.all[n-1].why = ErrStale
		w.fallDue(n)
	}
	return nil
}

func (w *watches) head(list int, x uint32) uint32 {
	if w.ofs[list] == nil {
		return 0
	}
	return w.ofs[list][x]
}

// take is a free watch's number.
func (w *watches) take(slots int) (n uint32, ok bool) {
	if w.ofs[ofIts] == nil {
		w.ofs = [2][]uint32{make([]uint32, slots), make([]uint32, slots)}
	}
	if n = w.free; n != 0 {
		w.free = w.all[n-1].lists[ofIts].next
		return n, true
	}
	if len(w.all) == w.most {
		return 0, false
	}
	w.all = append(w.all, watch{})
	return uint32(len(w.all)), true
}

func (w *watches) push(list int, head *uint32, n uint32) {
	w.all[n-1].lists[list] = links{next: *head}
	if *head != 0 {
		w.all[*head-1].lists[list].prev = n
	}
	*head = n
}

// unlink takes a watch out of a list.
func (w *watches) unlink(list int, head *uint32, n uint32) {
	at := w.all[n-1].lists[list]
	if at.prev != 0 {
		w.all[at.prev-1].lists[list].next = at.next
	} else {
		*head = at.next
	}
	if at.next != 0 {
		w.all[at.next-1].lists[list].prev = at.prev
	} else if head == &w.due {
		w.last = at.prev
	}
	if head == &w.due {
		w.dues--
	}
}

// fallDue puts a watch behind the ends to be told.
func (w *watches) fallDue(n uint32) {
	w.all[n-1].due = true
	w.all[n-1].lists[ofIts] = links{prev: w.last}
	w.dues++
	if w.last != 0 {
		w.all[w.last-1].lists[ofIts].next = n
	} else {
		w.due = n
	}
	w.last = n
}

// give frees a watch that stands in no list any more.
func (w *watches) give(n uint32) {
	w.all[n-1] = watch{}
	w.all[n-1].lists[ofIts].next = w.free
	w.free = n
}

// fell takes note of a machine's end: what it watched is forgotten, those who
// watch it are to be told.
func (l *Loop) fell(x uint32, why error) {
	w := &l.watches
	if w.ofs[ofIts] == nil {
		return
	}
	for n := w.ofs[byIts][x]; n != 0; n = w.ofs[byIts][x] {
		w.unlink(byIts, &w.ofs[byIts][x], n)
		w.unlink(ofIts, w.whose(n), n)
		w.give(n)
	}
	for n := w.ofs[ofIts][x]; n != 0; n = w.ofs[ofIts][x] {
		w.unlink(ofIts, &w.ofs[ofIts][x], n)
		w.all[n-1].why = why
		w.fallDue(n)
	}
}

// whose is the head of the list in which a watch stands: its watched machine's, or
// that of the ends.
func (w *watches) whose(n uint32) *uint32 {
	if e := &w.all[n-1]; !e.due {
		return &w.ofs[ofIts][e.of.Index()]
	}
	return &w.due
}

// tellDowns tells the ends that are known by now; those that come of it are told in
// the next turn.
func (l *Loop) tellDowns() {
	w := &l.watches
	for left := w.dues; left > 0 && w.due != 0; left-- {
		n := w.due
		e := w.all[n-1]
		w.unlink(ofIts, &w.due, n)
		w.unlink(byIts, &w.ofs[byIts][e.by.Index()], n)
		w.give(n)
		h := l.slots.Get(e.by) // it lives: its end takes its wishes along
		l.stats.downs++
		l.stores[h.kind].down(e.by.Index(), h, Down{Who: uint64(e.of), Reason: e.why})
	}
}
