package fsm

import (
	"errors"
	"fmt"
	"math/bits"
)

// Check returns an error that joins a [Problem] for each mistake in t, or nil. The
// order of the problems depends only on t. [Problems] returns them as a list, and
// errors.Is finds a kind.
//
// A state that has OnEnter and no events is assumed to be left by what OnEnter returns: it
// needs no deadline and no declared target. Handlers of row Any count as events: with an
// OnMessage, OnTimer, OnDown or OnSignal there, such a state needs a Within as well.
func Check[M, C, Msg any](t Table[M, C, Msg], m Machine) error {
	m.Start = or(m.Start, First)
	c := checker{t: t.Plain(), Machine: m}
	c.run()
	return errors.Join(c.found...)
}

// Machine is what Check needs to know about a machine besides its table.
type Machine struct {
	Start    State       // the first state; 0: First
	Ports    int         // number of ports, 0 to MaxPorts
	Timers   []TimerSpec // the named timers, indexed by Timer
	Messages bool        // whether the machine receives messages
}

// checker collects the problems of a table.
type checker struct {
	t Plain
	Machine

	found []error
	names map[string]State
}

func (c *checker) run() {
	if !c.table() {
		return
	}
	c.names = make(map[string]State)
	c.row(Any)
	reached := c.reach()
	for s := First; int(s) < len(c.t); s++ {
		if c.t[s].empty() {
			c.add(s, ErrGap, "empty row: want states numbered from 1 without gaps")
			continue
		}
		c.name(s)
		c.row(s)
		c.wait(s)
		c.message(s)
		if !reached.Has(s) {
			c.add(s, ErrUnreachable, "unreachable from %s: no To, deadline, Fail or Shutdown leads here", c.where(c.Start))
		}
		c.leaves(s)
	}
	c.specs()
}

func (c *checker) add(s State, kind error, format string, args ...any) {
	c.addAt(s, c.where(s), kind, format, args...)
}

func (c *checker) addAt(s State, where string, kind error, format string, args ...any) {
	c.found = append(c.found, &Problem{State: s, Where: where, Kind: kind, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) where(s State) string {
	if s == Any {
		return "row any"
	}
	return fmt.Sprintf("state %d %q", s, c.t[s].Name)
}

// table checks the table as a whole and reports whether its rows can be checked.
func (c *checker) table() bool {
	found := func(kind error, format string, args ...any) {
		c.addAt(Any, "table", kind, format, args...)
	}
	if len(c.t) <= int(First) || len(c.t) > int(Last)+1 {
		found(ErrTable, "%d states: want 1 to %d, after row any", max(len(c.t)-1, 0), Last)
		return false
	}
	if c.Ports < 0 || c.Ports > MaxPorts {
		found(ErrPorts, "%d ports: want 0 to %d", c.Ports, MaxPorts)
	}
	if !c.hasRow(c.Start) {
		found(ErrStart, "start %s: want a state, 1 to %d", c.Start, len(c.t)-1)
	}
	if c.Messages && !c.some(func(r *plainRow) bool { return r.OnMessage != nil }) {
		found(ErrMessage, "the machine gets messages, but no row has an OnMessage handler")
	}
	return true
}

// hasRow reports whether s is a state that has a row.
func (c *checker) hasRow(s State) bool { return s.inRange() && int(s) < len(c.t) }

func (c *checker) some(has func(*plainRow) bool) bool {
	for s := range c.t {
		if has(&c.t[s]) {
			return true
		}
	}
	return false
}

func (c *checker) name(s State) {
	switch name := c.t[s].Name; {
	case name == "":
		c.add(s, ErrName, "no Name")
	case c.names[name] != 0:
		c.add(s, ErrName, "Name is taken by state %d", c.names[name])
	default:
		c.names[name] = s
	}
}

// row checks the fields of a row itself, without those from row Any. So a mistake in row
// Any is reported once.
func (c *checker) row(s State) {
	r := &c.t[s]
	if s == Any && r.Defer {
		c.add(s, ErrAny, "Defer has no effect in row any: set it in each state that defers")
	}
	if !c.Messages && r.OnMessage != nil {
		c.add(s, ErrMessage, "OnMessage handler, but the machine gets no messages")
	}
	if !c.Messages && r.Defer {
		c.add(s, ErrMessage, "Defer, but the machine gets no messages")
	}
	if r.OnTimer != nil && len(c.Timers) == 0 {
		c.add(s, ErrTimer, "OnTimer handler, but no timer is declared")
	}
	c.bits(s, r.Wait)
	for _, d := range [...]struct {
		name string
		Deadline
	}{{"Within", r.Within}, {"Idle", r.Idle}, {"Stall", r.Stall}} {
		c.deadline(s, d.name, d.Deadline)
	}
	for _, field := range [...]struct {
		name string
		to   State
	}{{"Fail", r.Fail}, {"Shutdown", r.Shutdown}} {
		if field.to != Stay && !c.target(field.to) {
			c.add(s, ErrTarget, "%s leads to %s, which is not a row: want %s", field.name, field.to, c.targets())
		}
	}
	if r.To&noState != 0 {
		c.add(s, ErrTarget, "To names a number that is not a state: want 1 to %d", len(c.t)-1)
	}
	r.To.each(func(to State) {
		if !c.hasRow(to) {
			c.add(s, ErrTarget, "To names %s, which is not a row: want 1 to %d", to, len(c.t)-1)
		}
	})
}

func (c *checker) deadline(s State, name string, d Deadline) {
	switch {
	case d == Never || d == Deadline{}:
	case d.D < 0:
		c.add(s, ErrDeadline, "%s is %v: want a time above 0, or fsm.Never", name, d.D)
	case d.D == 0:
		c.add(s, ErrDeadline, "%s leads to %s but has no time: want a time above 0", name, d.To)
	case d.To == Stay:
		c.add(s, ErrDeadline, "%s after %v leads nowhere: want %s", name, d.D, c.targets())
	case !c.target(d.To):
		c.add(s, ErrTarget, "%s leads to %s, which is not a row: want %s", name, d.To, c.targets())
	}
}

func (c *checker) target(s State) bool { return s == Stop || c.hasRow(s) }

func (c *checker) targets() string { return fmt.Sprintf("1 to %d, or fsm.Stop", len(c.t)-1) }

// bits checks a Wait against the ports.
func (c *checker) bits(s State, r Ready) {
	if r&noPort != 0 || r.Gates()&noPortInGate != 0 {
		c.add(s, ErrWait, "Wait names a port above %d", MaxPorts-1)
	}
	if r&uselessWhile != 0 {
		c.add(s, ErrWait, "Wait has a While without Readable: only readable bits can have gates")
	}
	if rest := r &^ (bitsMask | gatesMask | noPort | uselessWhile); rest != 0 {
		c.add(s, ErrWait, "Wait has unknown bits %#x: want those of the methods of Port", uint64(rest))
	}
	used := r.Gates() & (Sendable - 1)
	for p := Port(0); p < MaxPorts; p++ {
		mine := p.Readable() | p.Writable() | p.Drained() | p.Opened()
		if (r.Has(mine) || r.Gate(p) != 0 || used&p.Room() != 0) && int(p) >= c.Ports {
			c.add(s, ErrWait, "Wait names port %d, but the number of ports is %d", p, c.Ports)
		}
		if r.Gate(p) != 0 && !r.Has(p.Readable()) {
			c.add(s, ErrWait, "Wait has a gate for port %d, but does not wait for its Readable", p)
		}
		if unknown := r.Gate(p) &^ AllGates &^ noPortInGate; unknown != 0 {
			c.add(s, ErrWait, "Wait has unknown gates %#x: want Room and Sendable", uint8(unknown))
		}
	}
}

// wait checks that there is an OnReady handler if and only if there is a Wait.
func (c *checker) wait(s State) {
	switch r := c.t.Resolve(s); {
	case r.Wait != 0 && r.OnReady == nil:
		c.add(s, ErrWait, "Wait without an OnReady handler: want one in this row or in row any")
	case r.Wait == 0 && r.OnReady != nil:
		c.add(s, ErrWait, "OnReady handler without Wait: want a Wait in this row or in row any")
	}
}

func (c *checker) message(s State) {
	r := c.t.Resolve(s)
	if c.Messages && r.OnMessage == nil && !r.Defer && !r.transient() {
		c.add(s, ErrMessage, "no OnMessage handler: want one in this row or in row any, or Defer")
	}
}

// leaves checks that the state is bounded and leads to another one.
func (c *checker) leaves(s State) {
	r, base := c.t.Resolve(s), &c.t[Any]
	if r.transient() {
		return
	}
	if r.Within.D == 0 && r.Idle.D == 0 && !base.Within.Runs() {
		c.add(s, ErrEndless, "may wait for ever: want Within or Idle, or fsm.Never in one of them (named timers do not count)")
	}
	// Resolve fills in Stop for an empty Fail. It is a way out only if the state waits
	// for ports, as only their errors can lead there.
	if r.Wait == 0 && or(c.t[s].Fail, base.Fail) == Stay {
		r.Fail = Stay
	}
	out := r.To &^ To(s)
	stops := false
	for _, x := range append(r.exits(), base.lifeExit()...) {
		out |= To(x.to) &^ To(s)
		stops = stops || x.to == Stop
	}
	if out == 0 && !stops {
		c.add(s, ErrDeadEnd, "leads nowhere: want a state in To, a deadline, Fail or Shutdown")
	}
}

// transient reports whether a resolved row is left at once: it has an OnEnter handler and
// no events.
func (r *Row[M, C, Msg]) transient() bool {
	return r.OnEnter != nil && r.Wait == 0 && r.OnReady == nil && r.OnMessage == nil && r.OnTimer == nil && r.OnDown == nil && r.OnSignal == nil
}

func (r *Row[M, C, Msg]) empty() bool {
	return r.Name == "" && r.Wait == 0 && r.To == 0 && !r.Defer && r.Fail == Stay && r.Shutdown == Stay &&
		r.Within == Deadline{} && r.Idle == Deadline{} && r.Stall == Deadline{} &&
		r.OnEnter == nil && r.OnExit == nil && r.OnReady == nil && r.OnMessage == nil &&
		r.OnTimer == nil && r.OnDown == nil && r.OnSignal == nil
}

// reach returns all states that edges lead to from the start. Row Any's OnEnter may choose
// another first state; those are in row Any's To, and so in the edges of every row.
func (c *checker) reach() States {
	if !c.hasRow(c.Start) {
		return ^States(0) // already reported
	}
	seen, next := To(c.Start), To(c.Start)
	for next != 0 {
		s := State(bits.TrailingZeros64(uint64(next)))
		next &= next - 1
		found := c.t.Edges(s) &^ seen & (1<<len(c.t) - 1)
		seen |= found
		next |= found
	}
	return seen
}

// specs checks the named timers.
func (c *checker) specs() {
	if len(c.Timers) > 1<<8 {
		c.addAt(Any, "table", ErrTimer, "%d timers: want at most %d", len(c.Timers), 1<<8)
	}
	names := make(map[string]int)
	for i, spec := range c.Timers {
		found := func(kind error, format string, args ...any) {
			c.addAt(Any, fmt.Sprintf("timer %d %q", i, spec.Name), kind, format, args...)
		}
		if first, taken := names[spec.Name]; spec.Name == "" {
			found(ErrName, "no Name")
		} else if taken {
			found(ErrName, "Name is taken by timer %d", first)
		} else {
			names[spec.Name] = i
		}
		if spec.Many < 0 {
			found(ErrTimer, "Many is %d: want 0 or more", spec.Many)
		}
		if spec.In&noState != 0 {
			found(ErrTarget, "In names a number that is not a state: want 1 to %d", len(c.t)-1)
		}
		spec.In.each(func(s State) {
			if !c.hasRow(s) {
				found(ErrTarget, "In names %s, which is not a row: want 1 to %d", s, len(c.t)-1)
			} else if c.t.Resolve(s).OnTimer == nil {
				found(ErrTimer, "may fire in %s, which has no OnTimer handler: want one there or in row any", c.where(s))
			}
		})
		if spec.In == 0 && !c.some(func(r *plainRow) bool { return r.OnTimer != nil }) {
			found(ErrTimer, "no row has an OnTimer handler")
		}
	}
}
