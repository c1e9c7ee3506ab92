package reactor

import (
	"fmt"

	"github.com/stator-go/stator/internal/pages"
)

// monitor is the request of one machine, the watcher, to be told of the end of another.
// It is in two lists: the watched machine's and the watcher's, so that either may end
// first. When the watched machine has ended, it is in the list of due monitors instead of
// the watched machine's.
type monitor struct {
	watcher, watched Token
	reason           error
	due              bool     // the watched machine has ended
	lists            [2]links // indexed by watchers and watching
}

// links are the neighbours of a monitor in a list, as number+1.
type links struct{ prev, next uint32 }

// The lists that a monitor is in: the watched machine's or the due one, and the watcher's.
const (
	watchers = iota
	watching
)

// monitors are all monitors of a loop, by number.
type monitors struct {
	all      []monitor // grows up to limit
	limit    int
	free     uint32      // as number+1; linked by lists[watchers].next
	heads    [2][]uint32 // the first monitor of each machine's lists, by slot; made at the first Monitor
	byPair   index       // by watcher and watched machine; made at the first Monitor
	due      uint32      // the first monitor that is due
	last     uint32      // the last one that is due
	dueCount int         // how many are due
}

// Monitor asks for a call of this machine's OnDown, once, when another machine of the same
// loop has ended. Down.Reason is nil after a normal end. If that machine has ended already,
// it is ErrStale. The call comes in the turn of the end, or in the next one, and may come
// before messages that the other machine sent. Monitoring a machine again before its end
// changes nothing.
//
// The error is ErrForeign for a token of another loop, and ErrFull at Config.Monitors. It is
// an error if one of the kind's states has no OnDown, of its own or from row Any.
func (c *IO) Monitor(t Token) error {
	l := c.loop
	switch {
	case !c.inCall():
		return ErrOutside
	case t.Owner() != l.id:
		return fmt.Errorf("reactor: monitor %v: %w", t, ErrForeign)
	case !c.st.handlesDown:
		return fmt.Errorf("reactor: monitor: %s has no OnDown handler: want one in row Any, or in every state", c.st.name)
	}
	w, by := &l.monitors, c.Token()
	if w.byPair.empty() {
		w.byPair.make(l, w.limit)
		w.heads = [2][]uint32{pages.Alloc[Loop, uint32](l, l.cfg.Slots), pages.Alloc[Loop, uint32](l, l.cfg.Slots)}
	}
	hash := w.hash(by, t)
	if w.find(hash, by, t) != 0 {
		return nil
	}
	n, ok := w.take()
	if !ok {
		return fmt.Errorf("reactor: monitor: Config.Monitors: %w", ErrFull)
	}
	w.all[n-1] = monitor{watcher: by, watched: t}
	w.byPair.add(hash, n)
	w.push(watching, &w.heads[watching][c.x], n)
	if h := l.live(t); h != nil && h.flags&mStopping == 0 {
		w.push(watchers, &w.heads[watchers][t.Index()], n)
	} else {
		w.all[n-1].reason = ErrStale
		w.makeDue(n)
	}
	return nil
}

func (w *monitors) hash(watcher, watched Token) uint64 {
	return w.byPair.hash(uint64(watcher), uint64(watched))
}

// find returns the monitor of a pair, as number+1, or 0.
func (w *monitors) find(hash uint64, watcher, watched Token) uint32 {
	for n := w.byPair.first(hash); n != 0; n = w.byPair.next(n) {
		if e := &w.all[n-1]; e.watched == watched && e.watcher == watcher {
			return n
		}
	}
	return 0
}

// take returns the number+1 of a free monitor.
func (w *monitors) take() (n uint32, ok bool) {
	if n = w.free; n != 0 {
		w.free = w.all[n-1].lists[watchers].next
		return n, true
	}
	if len(w.all) == w.limit {
		return 0, false
	}
	w.all = append(w.all, monitor{})
	return uint32(len(w.all)), true
}

func (w *monitors) push(list int, head *uint32, n uint32) {
	w.all[n-1].lists[list] = links{next: *head}
	if *head != 0 {
		w.all[*head-1].lists[list].prev = n
	}
	*head = n
}

// unlink takes a monitor out of a list.
func (w *monitors) unlink(list int, head *uint32, n uint32) {
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
		w.dueCount--
	}
}

// makeDue puts a monitor at the end of those that are due.
func (w *monitors) makeDue(n uint32) {
	w.all[n-1].due = true
	w.all[n-1].lists[watchers] = links{prev: w.last}
	w.dueCount++
	if w.last != 0 {
		w.all[w.last-1].lists[watchers].next = n
	} else {
		w.due = n
	}
	w.last = n
}

// give frees a monitor that is in no list any more.
func (w *monitors) give(n uint32) {
	w.byPair.remove(w.hash(w.all[n-1].watcher, w.all[n-1].watched), n)
	w.all[n-1] = monitor{}
	w.all[n-1].lists[watchers].next = w.free
	w.free = n
}

// notifyMonitors follows the end of a machine: its own monitors are freed, those that watch
// it become due.
func (l *Loop) notifyMonitors(x uint32, why error) {
	w := &l.monitors
	if w.heads[watchers] == nil {
		return
	}
	for n := w.heads[watching][x]; n != 0; n = w.heads[watching][x] {
		w.unlink(watching, &w.heads[watching][x], n)
		w.unlink(watchers, w.headOf(n), n)
		w.give(n)
	}
	for n := w.heads[watchers][x]; n != 0; n = w.heads[watchers][x] {
		w.unlink(watchers, &w.heads[watchers][x], n)
		w.all[n-1].reason = why
		w.makeDue(n)
	}
}

// headOf returns the head of the list that a monitor is in on the watched side.
func (w *monitors) headOf(n uint32) *uint32 {
	if e := &w.all[n-1]; !e.due {
		return &w.heads[watchers][e.watched.Index()]
	}
	return &w.due
}

// deliverDowns calls OnDown for the monitors that are due by now. Those that become due
// meanwhile are for the next turn.
func (l *Loop) deliverDowns() {
	w := &l.monitors
	for left := w.dueCount; left > 0 && w.due != 0; left-- {
		n := w.due
		e := w.all[n-1]
		w.unlink(watchers, &w.due, n)
		w.unlink(watching, &w.heads[watching][e.watcher.Index()], n)
		w.give(n)
		h := l.slots.Get(e.watcher) // it lives: its end would have freed the monitor
		l.stats.downs++
		l.stores[h.kind].down(e.watcher.Index(), h, Down{Who: e.watched, Reason: e.reason})
	}
}
