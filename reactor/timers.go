package reactor

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/internal/pages"
	"github.com/stator-go/stator/timerwheel"
)

// namedTimer is a named timer that runs. Its number is that of its node in the wheel, less
// timerTable.offset.
type namedTimer struct {
	group      uint32 // number+1
	next, prev uint32 // in its group, as number+1; next also links the free ones
	id         uint32
}

// timerGroup has the timers of one name that a machine has started in one state. All of
// them end together when that state, or the set TimerSpec.In, is left.
type timerGroup struct {
	owner uint32 // index of its machine
	next  uint32 // the machine's next group, or the next free one, as number+1
	first uint32 // its first timer, as number+1
	count uint32 // its timers
	timer Timer
	armed State // the state in which they were started; 0 if they go on in TimerSpec.In
}

// timerTable has the named timers of a loop. A machine has a list of groups: at most two
// for each name. A timer that is known by its id is found by the index.
type timerTable struct {
	all       []namedTimer
	free      uint32
	used      uint32
	running   uint32
	offset    uint32 // node of number 0
	byID      index  // by machine, name and id; made at the first Arm
	groups    []timerGroup
	freeGroup uint32 // as number+1
}

func newTimerTable(l *Loop, slots, n int) timerTable {
	return timerTable{all: pages.Alloc[Loop, namedTimer](l, n), offset: uint32(slots)}
}

// Arm starts a named timer, or starts it anew. It fires d from now, in a later turn: OnTimer
// is called. A d of 0 or less is the shortest, 1 ns. The error is ErrFull if Config.Timers
// timers run on the loop, or if the machine has one of the same name that ArmID started with
// another id than 0.
func (c *IO) Arm(t Timer, d time.Duration) error { return c.arm(t, 0, d, 1) }

// ArmID is Arm for one of several timers of a name; id tells them apart, and Arm's is 0. The
// error is ErrFull if the machine has TimerSpec.Many of that name with other ids, or if
// Config.Timers timers run on the loop.
func (c *IO) ArmID(t Timer, id uint32, d time.Duration) error {
	if int(t) < len(c.st.opt.Timers) {
		return c.arm(t, id, d, max(1, c.st.opt.Timers[t].Many))
	}
	return c.arm(t, id, d, 1)
}

func (c *IO) arm(t Timer, id uint32, d time.Duration, most int) error {
	if !c.inCall() {
		return ErrOutside
	}
	if int(t) >= len(c.st.opt.Timers) {
		return fmt.Errorf("reactor: %s: timer %d: want 0 to %d, as Options.Timers names them", c.st.name, t, len(c.st.opt.Timers)-1)
	}
	l, table := c.loop, &c.loop.timers
	at := after(l.drv.Now(), max(d, 1))
	armed := State(c.h.state)
	if c.st.opt.Timers[t].In != 0 {
		armed = 0
	}
	if table.byID.empty() {
		table.byID.make(l, len(table.all))
	}
	hash := table.hash(c.x, t, id)
	n := table.find(hash, c.x, t, id)
	if n == 0 {
		if many := table.count(c.h, t); many >= most {
			return fmt.Errorf("reactor: %s: %d timers %q run: %w", c.st.name, many, c.st.opt.Timers[t].Name, ErrFull)
		}
		if n = table.take(); n == 0 {
			return fmt.Errorf("reactor: Config.Timers: %w", ErrFull)
		}
		table.all[n-1].id = id
		table.byID.add(hash, n)
		table.join(c.h, c.x, n, t, armed)
	} else if table.groupOf(n).armed != armed {
		table.leave(c.h, n)
		table.join(c.h, c.x, n, t, armed)
	}
	l.wheel.Add(table.node(n), at)
	c.madeProgress()
	return nil
}

// Disarm stops a named timer. It does not fire any more, even if its time has passed.
func (c *IO) Disarm(t Timer) { c.DisarmID(t, 0) }

// DisarmID stops one of several timers of a name.
func (c *IO) DisarmID(t Timer, id uint32) {
	if !c.inCall() {
		return
	}
	table := &c.loop.timers
	if n := table.find(table.hash(c.x, t, id), c.x, t, id); n != 0 {
		c.loop.dropTimer(c.h, n)
	}
}

// fire calls OnTimer for the named timer n, a number+1.
func (l *Loop) fire(n uint32) {
	g := l.timers.groupOf(n)
	x, f := g.owner, Fired{Timer: g.timer, ID: l.timers.all[n-1].id}
	h := l.slots.At(x)
	l.dropTimer(h, n)
	if h.flags&(mDead|mStopping|mNewborn) != 0 {
		return
	}
	l.stats.timers++
	l.stores[h.kind].fired(x, h, f)
}

// dropTimer stops timer n, a number+1, and frees it.
func (l *Loop) dropTimer(h *header, n uint32) {
	t := &l.timers
	g, id := t.groupOf(n), t.all[n-1].id
	t.byID.remove(t.hash(g.owner, g.timer, id), n)
	t.leave(h, n)
	l.wheel.Cancel(t.node(n))
	t.give(n)
}

func (l *Loop) dropTimers(h *header) {
	for h.timers != 0 {
		l.dropTimer(h, l.timers.groups[h.timers-1].first)
	}
}

// cullTimers stops the timers that do not go on in the state that is entered.
func (l *Loop) cullTimers(h *header, b *base, to State) {
	for n := h.timers; n != 0; {
		g := &l.timers.groups[n-1]
		n = g.next
		in := b.opt.Timers[g.timer].In
		if in != 0 && !in.Has(to) || in == 0 && g.armed != 0 && to != g.armed {
			for left := g.count; left > 0; left-- { // the last one frees the group
				l.dropTimer(h, g.first)
			}
		}
	}
}

// node returns the node of timer n, a number+1, in the wheel.
func (t *timerTable) node(n uint32) timerwheel.Timer { return timerwheel.Timer(n - 1 + t.offset) }

// take returns a timer that does not run, as number+1, or 0 if all do.
func (t *timerTable) take() (n uint32) {
	if n = t.free; n != 0 {
		t.free = t.all[n-1].next
		t.running++
		return n
	}
	if int(t.used) == len(t.all) {
		return 0
	}
	t.used++
	t.running++
	return t.used
}

func (t *timerTable) give(n uint32) {
	t.all[n-1] = namedTimer{next: t.free}
	t.free = n
	t.running--
}

func (t *timerTable) hash(x uint32, timer Timer, id uint32) uint64 {
	return t.byID.hash(uint64(x)<<8|uint64(timer), uint64(id))
}

// find returns a machine's timer, as number+1, or 0.
func (t *timerTable) find(hash uint64, x uint32, timer Timer, id uint32) uint32 {
	for n := t.byID.first(hash); n != 0; n = t.byID.next(n) {
		if e := &t.all[n-1]; e.id == id {
			if g := &t.groups[e.group-1]; g.owner == x && g.timer == timer {
				return n
			}
		}
	}
	return 0
}

// count returns how many timers of a name a machine has.
func (t *timerTable) count(h *header, timer Timer) (n int) {
	for i := h.timers; i != 0; i = t.groups[i-1].next {
		if g := &t.groups[i-1]; g.timer == timer {
			n += int(g.count)
		}
	}
	return n
}

func (t *timerTable) groupOf(n uint32) *timerGroup { return &t.groups[t.all[n-1].group-1] }

// join puts timer n, a number+1, into its group, which is made if it is the first one.
func (t *timerTable) join(h *header, x, n uint32, timer Timer, armed State) {
	i := h.timers
	for i != 0 && (t.groups[i-1].timer != timer || t.groups[i-1].armed != armed) {
		i = t.groups[i-1].next
	}
	if i == 0 {
		i = t.takeGroup()
		t.groups[i-1] = timerGroup{owner: x, next: h.timers, timer: timer, armed: armed}
		h.timers = i
	}
	g, e := &t.groups[i-1], &t.all[n-1]
	e.group, e.next, e.prev = i, g.first, 0
	if g.first != 0 {
		t.all[g.first-1].prev = n
	}
	g.first = n
	g.count++
}

// leave takes timer n, a number+1, out of its group, which ends with its last timer.
func (t *timerTable) leave(h *header, n uint32) {
	e := &t.all[n-1]
	g := &t.groups[e.group-1]
	if e.next != 0 {
		t.all[e.next-1].prev = e.prev
	}
	if e.prev != 0 {
		t.all[e.prev-1].next = e.next
	} else {
		g.first = e.next
	}
	if g.count--; g.count > 0 {
		return
	}
	at := &h.timers
	for *at != e.group {
		at = &t.groups[*at-1].next
	}
	*at = g.next
	*g = timerGroup{next: t.freeGroup}
	t.freeGroup = e.group
}

// takeGroup returns a free group, as number+1. There are never more groups than timers.
func (t *timerTable) takeGroup() uint32 {
	if i := t.freeGroup; i != 0 {
		t.freeGroup = t.groups[i-1].next
		return i
	}
	t.groups = append(t.groups, timerGroup{})
	return uint32(len(t.groups))
}
