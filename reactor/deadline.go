package reactor

import (
	"fmt"
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/timerwheel"
)

// A machine has one node in the wheel, its slot's number, at the earliest of its
// deadlines or before. Pushing one back does not touch it: what is due is computed
// when the node expires. Named timers have the nodes above.

func timerOf(x uint32) timerwheel.Timer { return timerwheel.Timer(x) }

// after is now + d, for ever when d is no bound or the sum overflows.
func after(now int64, d time.Duration) int64 {
	if d <= 0 || now > math.MaxInt64-int64(d) {
		return forever
	}
	return now + int64(d)
}

// entered moves the state, stops the timers that do not live there, and starts
// Within anew.
func (l *Loop) entered(x uint32, h *header, to State) {
	b := l.stores[h.kind]
	from := State(h.state)
	h.state = uint8(to)
	h.flags &^= stuck
	if h.kept != 0 && !b.rows[to].keeps {
		h.flags |= unkept
		l.queue(x, h)
	}
	if h.timers != 0 {
		l.cullTimers(h, b, from, to)
	}
	l.unsee(h)
	row := &b.rows[to]
	h.withinAt = forever
	if row.within.Runs() || row.idle.Runs() {
		now := l.drv.Now()
		h.withinAt = after(now, row.within.D)
		h.heardAt = now
	}
	h.flags |= unarmed // the next one may be earlier than what is armed
}

// arm sees to it that the machine's node expires by its earliest deadline.
func (l *Loop) arm(x uint32, h *header) {
	h.flags &^= unarmed
	if at, _, _ := l.deadline(h); at != forever {
		l.wheel.Extend(timerOf(x), at)
	}
}

// deadline is the machine's earliest deadline, and where it leads.
func (l *Loop) deadline(h *header) (at int64, to State, why Cause) {
	b := l.stores[h.kind]
	row := &b.rows[h.state]
	at, to, why = h.withinAt, row.within.To, CauseWithin
	if row.idle.Runs() {
		if t := after(h.heardAt, row.idle.D); t < at {
			at, to, why = t, row.idle.To, CauseIdle
		}
	}
	if row.stall.Runs() {
		for p := Port(0); uint32(p) < b.nports; p++ {
			if pt := b.port(h, p); pt.out != 0 {
				if t := after(l.pool.chunks[pt.out].since, row.stall.D); t < at {
					at, to, why = t, row.stall.To, CauseStall
				}
			}
		}
	}
	if h.lifeAt < at {
		at, to, why = h.lifeAt, b.rows[fsm.Any].within.To, CauseLife
	}
	return at, to, why
}

// expire leads machines where their deadlines lead, and fires named timers.
func (l *Loop) expire() {
	if l.now >= l.resumeAt {
		l.resumeAccepts()
	}
	l.wheel.Advance(l.now)
	for {
		t, ok := l.wheel.Expired()
		if !ok {
			return
		}
		if int(t) >= l.cfg.Slots {
			l.fire(uint32(int(t) - l.cfg.Slots))
			continue
		}
		x := uint32(t)
		h := l.slots.At(x)
		h.flags |= unarmed
		if h.flags&dead != 0 {
			continue
		}
		if h.flags&stopping != 0 && l.now < h.withinAt {
			l.drainPorts(x, h)
			continue
		}
		if h.flags&stopping != 0 {
			l.stats.lingered++
			l.die(x, h)
			continue
		}
		l.lapse(x, h)
	}
}

// lapse leads a machine where its deadline does, if it is over.
func (l *Loop) lapse(x uint32, h *header) {
	at, to, why := l.deadline(h)
	switch {
	case at > l.now:
		l.arm(x, h)
		return
	case why == CauseIdle && h.flags&queued != 0 && l.phase < running:
		l.overdue = append(l.overdue, x) // there may be bytes that came in time: it runs first
		return
	case why == CauseLife:
		h.lifeAt = forever // it leads once; the states behind have bounds of their own
	}
	l.stats.deadlines++
	l.testify(x, h, why)
	b := l.stores[h.kind]
	b.lead(x, h, to, b.rows[h.state].late[why])
}

// lapseOverdue ends the silence of those who had their turn and heard nothing in it.
func (l *Loop) lapseOverdue() {
	for n := len(l.overdue); n > 0; n = len(l.overdue) {
		x := l.overdue[n-1]
		l.overdue = l.overdue[:n-1]
		if h := l.slots.At(x); h.flags&(dead|stopping) == 0 {
			l.lapse(x, h)
		}
	}
}

// lateErrors are the reasons of a state's deadlines: they tell its name.
func lateErrors(state string) map[Cause]error {
	all := make(map[Cause]error)
	for _, c := range []Cause{CauseWithin, CauseIdle, CauseStall, CauseLife} {
		all[c] = fmt.Errorf("state %q, %s: %w", state, c, ErrTimeout)
	}
	return all
}

// settle follows a call that did not come from run: flush, arm, and queue the
// machine if something is ready for it now.
func (l *Loop) settle(x uint32, h *header) {
	if l.rest(x, h) {
		l.rouse(x, h)
	}
}

// rest follows the last call of a machine's turn: its output is sent, its input
// leaves the loop's scratch, its deadlines are armed. It tells whether the machine
// lives on.
func (l *Loop) rest(x uint32, h *header) bool {
	l.flush()
	if l.pool.chunks[scratchNum].w != 0 {
		l.keepInput(h)
	}
	if h.flags&(dead|stopping) != 0 {
		return false
	}
	if h.flags&broken != 0 {
		l.queue(x, h)
	}
	if h.flags&unarmed != 0 {
		l.arm(x, h)
	}
	return true
}

// named is a running named timer: its node's side of the wheel.
type named struct {
	owner uint32 // index of its machine
	next  uint32 // of the same machine, or the next free one, as number+1
	id    uint32
	timer Timer
	armed State // the state that armed it
}

type timerTable struct {
	all    []named
	free   uint32
	used   uint32
	offset uint32 // node of number 0
}

func newTimerTable(slots, n int) timerTable {
	return timerTable{all: make([]named, n), offset: uint32(slots)}
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
	t.all[n] = named{next: t.free}
	t.free = n + 1
}

// Arm starts or restarts a named timer. ErrFull when the loop has no more, see
// Config.Timers.
func (c *IO) Arm(t Timer, d time.Duration) error { return c.armed(t, 0, d, 1) }

// ArmID starts or restarts one of the many timers of a name: ErrFull over
// TimerSpec.Many.
func (c *IO) ArmID(t Timer, id uint32, d time.Duration) error {
	if int(t) < len(c.st.opt.Timers) {
		return c.armed(t, id, d, max(1, c.st.opt.Timers[t].Many))
	}
	return c.armed(t, id, d, 1)
}

func (c *IO) armed(t Timer, id uint32, d time.Duration, most int) error {
	if !c.inside() {
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
		l.timers.all[free] = named{owner: c.x, next: c.h.timers, id: id, timer: t}
		n = free + 1
		c.h.timers = n
	}
	l.timers.all[n-1].armed = State(c.h.state)
	l.wheel.Add(l.timers.node(n-1), at)
	c.moved()
	return nil
}

// find is a machine's timer, as number+1, and how many of that name run.
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

// Disarm stops a named timer: it does not fire any more, even if it is due.
func (c *IO) Disarm(t Timer) { c.DisarmID(t, 0) }

// DisarmID stops one of the many timers of a name.
func (c *IO) DisarmID(t Timer, id uint32) {
	if n, _ := c.loop.timers.find(c.h, t, id); n != 0 {
		c.loop.unlinkTimer(c.h, n)
	}
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

// cullTimers stops the timers that do not live in the state entered.
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

func (l *Loop) fire(n uint32) {
	e := l.timers.all[n]
	h := l.slots.At(e.owner)
	l.unlinkTimer(h, n+1)
	if h.flags&(dead|stopping|newborn) != 0 {
		return
	}
	l.stats.timers++
	l.stores[h.kind].fired(e.owner, h, Fired{Timer: e.timer, ID: e.id})
}
