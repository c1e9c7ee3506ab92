package judge

import (
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor"
)

// The check of deadlines: while the loops rest, no machine is in a state for longer than the
// state's row allows. The loop's own lateness, and lateness made by faults, is allowed for.

// bound has the deadlines of a row, in nanoseconds; 0: none.
type bound struct {
	within, idle, stall int64
}

// bounds has the deadlines of a kind: by state, and that of a machine's life.
type bounds struct {
	rows     []bound
	life     int64
	messages bool // messages end a silence as well, and only a loop that traces reports them
}

// mostBounds is how many kinds are kept: a Setup may build new kinds for each run.
const mostBounds = 64

// deadlines knows when the next deadline of each loop's machines passes.
type deadlines struct {
	on   bool
	deaf bool // messages matter, and the world does not report them
	of   map[reactor.AnyKind]*bounds
	due  []int64 // by loop: no deadline of its machines passes before

	lastKind reactor.AnyKind // that was looked up
	last     *bounds
}

func (d *deadlines) begin() {
	for i := range d.due {
		d.due[i] = math.MaxInt64
	}
}

// bounds returns the deadlines of a kind.
func (d *deadlines) bounds(k reactor.AnyKind) *bounds {
	if k == d.lastKind {
		return d.last
	}
	b := d.of[k]
	if b == nil {
		if len(d.of) == mostBounds || d.of == nil {
			d.of = make(map[reactor.AnyKind]*bounds)
		}
		b = readBounds(k)
		d.of[k] = b
	}
	d.lastKind, d.last = k, b
	return b
}

// readBounds reads a kind's table.
func readBounds(k reactor.AnyKind) *bounds {
	b := &bounds{}
	table, idles, messages := k.Plain(), false, false
	for s := range table {
		row := table.Resolve(fsm.State(s))
		b.rows = append(b.rows, bound{within: span(row.Within), idle: span(row.Idle), stall: span(row.Stall)})
		idles, messages = idles || row.Idle.Runs(), messages || row.OnMessage != nil
	}
	b.messages = idles && messages
	b.life, b.rows[fsm.Any] = b.rows[fsm.Any].within, bound{}
	return b
}

// span returns the duration of a deadline; 0: there is none.
func span(d fsm.Deadline) int64 { return int64(max(0, d.D)) }

// expect notes that a deadline of a machine may pass sooner than was known.
func (d *deadlines) expect(m *sim.Machine, tracing bool) {
	if !d.on {
		return
	}
	for m.Loop >= len(d.due) {
		d.due = append(d.due, math.MaxInt64)
	}
	all := d.bounds(m.Kind)
	d.deaf = d.deaf || all.messages && !tracing
	at, _ := all.first(m, tracing)
	d.due[m.Loop] = min(d.due[m.Loop], at)
}

// first returns when the first deadline of a machine passes, and its name.
func (all *bounds) first(m *sim.Machine, tracing bool) (at int64, name string) {
	at = math.MaxInt64
	if int(m.State) >= len(all.rows) {
		return at, "" // Stop
	}
	sooner := func(from, span int64, what string) {
		if span > 0 && from+span < at {
			at, name = from+span, what
		}
	}
	row := &all.rows[m.State]
	sooner(m.Since, row.within, "Within")
	if tracing || !all.messages {
		sooner(m.Heard, row.idle, "Idle")
	}
	for _, since := range m.Stuck {
		if since > 0 {
			sooner(since, row.stall, "Stall")
		}
	}
	if all.life > 0 && m.Since < m.Born+all.life {
		sooner(m.Born, all.life, "the life's Within")
	}
	return at, name
}

// judgeDeadlines fails the run if a machine is in a state for too long. It is called while
// the loops rest.
func (j *Judge) judgeDeadlines() {
	d := &j.deadlines
	if j.failure != nil || !d.on {
		return
	}
	now, jumped, tracing := j.w.Now(), j.w.JumpedTo(), j.w.Tracing()
	for loop, due := range d.due {
		slack := int64(2*j.w.Resolution()) + j.w.Lateness(loop)
		if j.w.LoopOver(loop) || now-max(due, jumped) <= slack {
			continue
		}
		d.due[loop] = math.MaxInt64
		for _, m := range j.w.Machines(loop) {
			if !m.Lives {
				continue
			}
			at, what := d.bounds(m.Kind).first(m, tracing)
			if d.due[loop] = min(d.due[loop], at); now-max(at, jumped) > slack {
				j.Fail(Deadline, "%s is in state %s, %v after its %s has passed", m.Kind.Name(), m.Kind.StateName(m.State), time.Duration(now-at), what)
			}
		}
	}
}
