package fuzz

import (
	"math"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Deadlines as properties: a world at rest has no machine that stays where it is
// beyond what its row says. The loop's own lateness is allowed for, and the one that
// faults made.

// bound is what a row bounds a stay by, in nanoseconds; 0: not.
type bound struct {
	within, idle, stall int64
}

// bounds are those of a kind: by state, and of a machine's life.
type bounds struct {
	rows  []bound
	life  int64
	heeds bool // messages end a silence as well, and only a witness is told of them
}

// mostBounds is how many kinds are known at once: a Setup may build new ones each run.
const mostBounds = 64

// boundsOf reads a kind's table.
func (w *World) boundsOf(k reactor.AnyKind) *bounds {
	if b := w.bounds[k]; b != nil {
		return b
	}
	if len(w.bounds) == mostBounds {
		clear(w.bounds)
	}
	b := &bounds{}
	table, idles, messages := k.Plain(), false, false
	for s := range table {
		row := table.Resolve(fsm.State(s))
		b.rows = append(b.rows, bound{within: span(row.Within), idle: span(row.Idle), stall: span(row.Stall)})
		idles, messages = idles || row.Idle.Runs(), messages || row.OnMessage != nil
	}
	b.heeds = idles && messages
	b.life, b.rows[fsm.Any] = b.rows[fsm.Any].within, bound{}
	w.bounds[k] = b
	return b
}

// span is what a deadline allows; 0: it is none.
func span(d fsm.Deadline) int64 { return int64(max(0, d.D)) }

// bounded is what a machine's stay is bounded by.
type bounded struct {
	all   *bounds // nil: by nothing, it is over
	row   bound
	born  int64
	since int64 // it is in its state
	heard int64 // bytes came in, or a message
	stuck int64 // output that was tried again does not move; 0: none
}

// enters notes that a machine is in another state.
func (d *simDriver) enters(m *machine, from, to reactor.State) {
	b, now := &m.bounded, d.w.now
	if from == fsm.Any || b.all == nil {
		*b = bounded{all: d.w.boundsOf(m.kind), born: now}
	}
	if int(to) >= len(b.all.rows) {
		b.all = nil // Stop
		return
	}
	if b.row, b.since, b.heard = b.all.rows[to], now, now; b.all.heeds && !d.w.heeds {
		b.row.idle, d.w.deaf = 0, true
	}
	d.dueAt = min(d.dueAt, b.until())
}

// hears notes that bytes came in.
func (d *simDriver) hears(s *sock) {
	if m := s.machine(); m != nil {
		m.bounded.heard = d.w.now
	}
}

// retries notes how far output got that the loop had held.
func (d *simDriver) retries(s *sock, moved int, all bool) {
	m := s.machine()
	switch {
	case m == nil:
	case all:
		m.bounded.stuck = 0
	case moved > 0 || m.bounded.stuck == 0:
		m.bounded.stuck = d.w.now
		d.dueAt = min(d.dueAt, m.bounded.until())
	}
}

// until is when the first of a stay's deadlines passes.
func (b *bounded) until() int64 {
	at, _ := b.first()
	return at
}

func (b *bounded) first() (at int64, name string) {
	at = math.MaxInt64
	if b.all == nil {
		return at, ""
	}
	sooner := func(from, span int64, what string) {
		if span > 0 && from+span < at {
			at, name = from+span, what
		}
	}
	sooner(b.since, b.row.within, "Within")
	sooner(b.heard, b.row.idle, "Idle")
	if b.stuck > 0 {
		sooner(b.stuck, b.row.stall, "Stall")
	}
	if b.all.life > 0 && b.since < b.born+b.all.life {
		sooner(b.born, b.all.life, "the life's Within")
	}
	return at, name
}

// judgeBounds looks, in a world at rest, for machines that are where they are for
// too long.
func (w *World) judgeBounds() {
	if w.failure != nil || !w.spec.judges("X") {
		return
	}
	for _, d := range w.drivers {
		slack := int64(2*w.resolution()) + d.armed.late
		if d.over || w.now-max(d.dueAt, w.jumped) <= slack {
			continue
		}
		d.dueAt = math.MaxInt64
		for i := range d.machines {
			m := &d.machines[i]
			at, what := m.bounded.first()
			if d.dueAt = min(d.dueAt, at); w.now-max(at, w.jumped) > slack {
				w.fail(oracleBound, "%s is in state %s, %v after its %s has passed", m.kind.Name(), m.kind.StateName(m.state), time.Duration(w.now-at), what)
			}
		}
	}
}

// resolution is that of the loops' deadlines.
func (w *World) resolution() time.Duration {
	if r := w.spec.Config.Resolution; r != 0 {
		return r
	}
	return time.Millisecond
}
