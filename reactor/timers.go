package reactor

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/timerwheel"
)

// namedTimer is a named timer that runs. Its number is that of its node in the wheel, less
// timerTable.offset.
type namedTimer struct {
	owner uint32 // index of its machine
	next  uint32 // the machine's next timer, or the next free one, as number+1
	id    uint32
	timer Timer
	armed State // the state in which it was started
}

// timerTable has the named timers of a loop.
type timerTable struct {
	all    []namedTimer
	free   uint32
	used   uint32
	offset uint32 // node of number 0
}

func newTimerTable(slots, n int) timerTable {
	return timerTable{all: make([]namedTimer, n), offset: uint32(slots)}
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
	l := c.loop
	at := after(l.drv.Now(), max(d, 1))
	n, many := l.timers.find(c.h, t, id)
	if n == 0 {
		if many >= most {
			return fmt.Errorf("reactor: %s: %d timers %q run: %w", c.st.name, many, c.st.opt.Timers[t].Name, ErrFull)
		}
		free, ok := l.timers.take()
		if !ok {
			return fmt.Errorf("reactor: Config.Timers: %w", ErrFull)
		}
		l.timers.all[free] = namedTimer{owner: c.x, next: c.h.timers, id: id, timer: t}
		n = free + 1
		c.h.timers = n
	}
	l.timers.all[n-1].armed = State(c.h.state)
	l.wheel.Add(l.timers.node(n-1), at)
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
	if n, _ := c.loop.timers.find(c.h, t, id); n != 0 {
		c.loop.unlinkTimer(c.h, n)
	}
}

// fire calls OnTimer for the named timer with a number.
func (l *Loop) fire(n uint32) {
	e := l.timers.all[n]
	h := l.slots.At(e.owner)
	l.unlinkTimer(h, n+1)
	if h.flags&(mDead|mStopping|mNewborn) != 0 {
		return
	}
	l.stats.timers++
	l.stores[h.kind].fired(e.owner, h, Fired{Timer: e.timer, ID: e.id})
}

func (l *Loop) unlinkTimer(h *header, n uint32) {
	at := &h.timers
	for *at != n {
		at = &l.timers.all[*at-1].next
	}
	*at = l.timers.all[n-1].next
	l.wheel.Cancel(l.timers.node(n - 1))
	l.timers.give(n - 1)
}

func (l *Loop) dropTimers(h *header) {
	for h.timers != 0 {
		l.unlinkTimer(h, h.timers)
	}
}

// cullTimers stops the timers that do not go on in the state that is entered.
func (l *Loop) cullTimers(h *header, b *base, from, to State) {
	for n := h.timers; n != 0; {
		e := l.timers.all[n-1]
		in := b.opt.Timers[e.timer].In
		if in != 0 && !in.Has(to) || in == 0 && e.armed != 0 && to != e.armed {
			l.unlinkTimer(h, n)
		}
		n = e.next
	}
}

func (t *timerTable) node(n uint32) timerwheel.Timer { return timerwheel.Timer(n + t.offset) }

func (t *timerTable) take() (uint32, bool) {
	if n := t.free; n != 0 {
		t.free = t.all[n-1].next
		return n - 1, true
	}
	if int(t.used) == len(t.all) {
		return 0, false
	}
	t.used++
	return t.used - 1, true
}

func (t *timerTable) give(n uint32) {
	t.all[n] = namedTimer{next: t.free}
	t.free = n + 1
}

// find returns a machine's timer, as number+1, and how many timers of that name it has.
func (t *timerTable) find(h *header, timer Timer, id uint32) (found uint32, many int) {
	for n := h.timers; n != 0; n = t.all[n-1].next {
		if e := &t.all[n-1]; e.timer == timer {
			many++
			if e.id == id {
				found = n
			}
		}
	}
	return found, many
}
