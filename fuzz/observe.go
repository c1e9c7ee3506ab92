package fuzz

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/durations"
	"github.com/stator-go/stator/reactor"
)

// machineKey tells machines apart: the loop, and the token without the loop's own
// number, which depends on what else runs in the process.
type machineKey struct {
	loop       int
	generation uint32
	index      uint32
}

// machine is what is known of whoever has a slot of a loop.
type machine struct {
	generation uint32
	conn       int32 // that is its first port, as number+1
	kind       reactor.AnyKind
	lives      bool
	state      reactor.State
	before     reactor.State // it was in that one
	edge       uint32        // the last transition, as a feature
	cause      reactor.Event // the last event since it, if somebody asks
	told       bool          // of something else than readiness and failures, if somebody asks
	fails      int           // how often something failed, the end of input as well, if somebody asks
	failed     reactor.State // the state in which it did last
	bounded    bounded
}

// at finds the notes on the machine of a slot, new ones if another one has it.
func (d *simDriver) at(generation, index uint32) *machine {
	for int(index) >= len(d.machines) {
		d.machines = append(d.machines, machine{})
	}
	m := &d.machines[index]
	if m.generation != generation {
		*m = machine{generation: generation}
	}
	return m
}

// own notes which machine a connection is of.
func (w *World) own(s *sock) {
	if s.conn < 0 || !s.data.OfMachine() {
		return
	}
	k := machineKey{s.driver.loop, s.data.Generation(), s.data.Index()}
	if c := w.of(s); c != nil {
		c.owner = k
	}
	if m := s.driver.at(k.generation, k.index); m.conn == 0 {
		m.conn = s.conn + 1
	}
}

// Moved is told of each transition.
func (d *simDriver) Moved(t reactor.Token, k reactor.AnyKind, from, to reactor.State) {
	w := d.w
	m := d.at(t.Generation(), t.Index())
	m.kind, m.before, m.state, m.lives = k, from, to, true
	d.enters(m, from, to)
	w.note(noteMove, uint64(t.Generation())<<32|uint64(t.Index()), uint64(from)<<8|uint64(to))
	m.edge = w.cover.edge(k, from, to, m.edge)
	w.movers = append(w.movers, mover{d, t.Generation(), t.Index()})
	if w.tally != nil {
		w.tally.moved(w, w.cover.index(k), from, to, m.cause)
	}
	if !k.Declares(from, to) {
		w.fail(oracleEdges, "%s went from %s to %s, which its table does not declare", k.Name(), k.StateName(from), k.StateName(to))
	}
	if w.journal != nil {
		w.tell(line{conn: int(m.conn) - 1, text: string(m.cause), move: fmt.Sprintf("%s: %s → %s", k.Name(), k.StateName(from), k.StateName(to)), then: deadlines(k, to)})
	}
}

// deadlines are those of a state, for people.
func deadlines(k reactor.AnyKind, s reactor.State) string {
	t := k.Plain()
	if int(s) >= len(t) {
		return ""
	}
	var all []string
	r := t.Resolve(s)
	for _, d := range []struct {
		name string
		fsm.Deadline
	}{{"within", r.Within}, {"idle", r.Idle}, {"stall", r.Stall}} {
		if d.Runs() {
			all = append(all, d.name+" "+durations.Short(d.D))
		}
	}
	return strings.Join(all, ", ")
}

// Ended is told why a machine ended.
func (d *simDriver) Ended(t reactor.Token, k reactor.AnyKind, reason error) {
	w := d.w
	m := d.at(t.Generation(), t.Index())
	m.bounded.all, m.lives = nil, false
	w.note(noteStop, uint64(t.Generation())<<32|uint64(t.Index()), 0)
	if w.journal != nil {
		l := line{conn: int(m.conn) - 1, text: "machine ends", move: k.Name()}
		if reason != nil {
			l.detail = reason.Error()
		}
		w.tell(l)
	}
	if reason == nil && !m.told && m.conn > 0 {
		w.quits(&w.conns[m.conn-1], machineKey{d.loop, t.Generation(), t.Index()}, m)
	}
	w.judgeEnd(m, k, reason)
}

// quits notes that the machine of a connection ended by itself: nothing but its bytes,
// and their end, has led there, and its peer is there to hear all that is to be said.
func (w *World) quits(c *conn, k machineKey, m *machine) {
	if p := c.peer; c.owner == k && p != nil && !c.cut && p.other != nil && !p.other.starved {
		c.ending, c.heard = cutOff, len(c.sent)
		switch {
		case !p.shutOut && m.fails == 0:
			c.ending = quit
		case p.shutOut && (m.fails == 0 || m.fails == 1 && m.failed == m.before):
			c.ending = left // the end of input is all that failed, and the last that happened
		}
	}
}

// judgeEnd looks for ends that are nobody's intent.
func (w *World) judgeEnd(m *machine, k reactor.AnyKind, reason error) {
	if reason == nil || w.failure != nil {
		return
	}
	w.judgeReason(k, reason)
	if f := w.failure; f != nil {
		f.State = k.StateName(m.before)
	}
}

func (w *World) judgeReason(k reactor.AnyKind, reason error) {
	var crash *reactor.PanicError
	switch {
	case errors.As(reason, &crash):
		w.fail(oraclePanic, "%s panicked in state %q: %v", k.Name(), crash.State, crash.Value)
		w.failure.Stack = crash.Stack
	case errors.Is(reason, reactor.ErrEdge):
		w.fail(oracleEdges, "%v", reason)
	case errors.Is(reason, reactor.ErrSpin), errors.Is(reason, reactor.ErrEnterLoop):
		w.fail(oracleBounds, "%s ended: %v", k.Name(), reason)
	}
}

// name is a machine for people.
func (w *World) name(k machineKey) string {
	m := w.drivers[k.loop].at(k.generation, k.index)
	if m.kind == nil {
		return "a machine"
	}
	return fmt.Sprintf("%s in state %s", m.kind.Name(), m.kind.StateName(m.state))
}
