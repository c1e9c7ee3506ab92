package fsm

import (
	"errors"
	"fmt"
	"math/bits"
)

// Check reports what is wrong with a table before it runs, all of it at once: the
// error joins a Problem for each finding, in an order that depends on the table
// alone. Problems takes it apart, errors.Is asks for a kind.
//
// start is the first state (0 is First), ports the number of a machine's
// descriptors, timers are the named timers by Timer, and messages tells whether
// the machine takes any.
//
// A state that has only an Enter, and no event to wait for, is taken to be left by
// what Enter answers: it needs neither a bound nor a named way out.
func Check[M, C, Msg any](t Table[M, C, Msg], start State, ports int, timers []TimerSpec, messages bool) error {
	c := checker{t: t.Plain(), start: or(start, First), ports: ports, timers: timers, messages: messages}
	c.run()
	return errors.Join(c.found...)
}

type checker struct {
	t        Plain
	start    State
	ports    int
	timers   []TimerSpec
	messages bool

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
			c.add(s, ErrGap, "empty row: number states without gaps, from 1")
			continue
		}
		c.name(s)
		c.row(s)
		c.wait(s)
		c.message(s)
		if !reached.Has(s) {
			c.add(s, ErrUnreachable, "unreachable from %s: no To, deadline, Fail or Shutdown leads here", c.where(c.start))
		}
		c.stay(s)
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

// table checks what has no row, and tells whether rows can be looked at.
func (c *checker) table() bool {
	found := func(kind error, format string, args ...any) {
		c.addAt(Any, "table", kind, format, args...)
	}
	if len(c.t) <= int(First) || len(c.t) > int(Last)+1 {
		found(ErrTable, "%d states: want 1 to %d, after row any", max(len(c.t)-1, 0), Last)
		return false
	}
	if c.ports < 0 || c.ports > MaxPorts {
		found(ErrPorts, "%d ports: want 0 to %d", c.ports, MaxPorts)
	}
	if !c.is(c.start) {
		found(ErrStart, "start %s: want a state, 1 to %d", c.start, len(c.t)-1)
	}
	if c.messages && !c.some(func(r *plainRow) bool { return r.OnMessage != nil }) {
		found(ErrMessage, "messages come and no row has an OnMessage handler")
	}
	return true
}

// is tells whether s is a state of one's own that has a row.
func (c *checker) is(s State) bool { return s.own() && int(s) < len(c.t) }

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

// row checks what a row says itself, so that what row Any says is judged there alone.
func (c *checker) row(s State) {
	r := &c.t[s]
	if s == Any && r.Defer {
		c.add(s, ErrAny, "Defer in row any has no effect: say it in each state that defers")
	}
	if !c.messages && r.OnMessage != nil {
		c.add(s, ErrMessage, "an OnMessage handler, and no messages come")
	}
	if !c.messages && r.Defer {
		c.add(s, ErrMessage, "Defer, and no messages come")
	}
	if r.OnTimer != nil && len(c.timers) == 0 {
		c.add(s, ErrTimer, "an OnTimer handler, and no timer is declared")
	}
	c.bits(s, r.Wait)
	for _, d := range [...]struct {
		name string
		Deadline
	}{{"Within", r.Within}, {"Idle", r.Idle}, {"Stall", r.Stall}} {
		c.deadline(s, d.name, d.Deadline)
	}
	for _, way := range [...]struct {
		name string
		to   State
	}{{"Fail", r.Fail}, {"Shutdown", r.Shutdown}} {
		if way.to != Stay && !c.target(way.to) {
			c.add(s, ErrTarget, "%s leads to %s, which is no row: want %s", way.name, way.to, c.targets())
		}
	}
	if r.To&noState != 0 {
		c.add(s, ErrTarget, "To names what can't be a state: want 1 to %d", len(c.t)-1)
	}
	r.To.each(func(to State) {
		if !c.is(to) {
			c.add(s, ErrTarget, "To names %s, which is no row: want 1 to %d", to, len(c.t)-1)
		}
	})
}

func (c *checker) deadline(s State, name string, d Deadline) {
	switch {
	case d == Never || d == Deadline{}:
	case d.D < 0:
		c.add(s, ErrDeadline, "%s after %v: want a time above 0, or fsm.Never", name, d.D)
	case d.D == 0:
		c.add(s, ErrDeadline, "%s leads to %s and has no time: want one above 0", name, d.To)
	case d.To == Stay:
		c.add(s, ErrDeadline, "%s after %v leads nowhere: want %s", name, d.D, c.targets())
	case !c.target(d.To):
		c.add(s, ErrTarget, "%s leads to %s, which is no row: want %s", name, d.To, c.targets())
	}
}

func (c *checker) target(s State) bool { return s == Stop || c.is(s) }

func (c *checker) targets() string { return fmt.Sprintf("1 to %d, or fsm.Stop", len(c.t)-1) }

// bits checks a Wait against the ports.
func (c *checker) bits(s State, r Ready) {
	if r&noPort != 0 || r.Gates()&noPortInGate != 0 {
		c.add(s, ErrWait, "Wait names a port above %d", MaxPorts-1)
	}
	if r&strayWhile != 0 {
		c.add(s, ErrWait, "Wait has a While on what is not Readable: gates hold back readable bits only")
	}
	if rest := r &^ (came | gates | noPort | strayWhile); rest != 0 {
		c.add(s, ErrWait, "Wait has unknown bits %#x: make it with Port's methods", uint64(rest))
	}
	used := r.Gates() & (Sendable - 1)
	for p := Port(0); p < MaxPorts; p++ {
		mine := p.Readable() | p.Writable() | p.Drained() | p.Opened()
		if (r.Has(mine) || r.Gate(p) != 0 || used&p.Room() != 0) && int(p) >= c.ports {
			c.add(s, ErrWait, "Wait names port %d: want a port below %d, the number of ports", p, c.ports)
		}
		if r.Gate(p) != 0 && !r.Has(p.Readable()) {
			c.add(s, ErrWait, "Wait has a gate on port %d, which is not waited for as Readable", p)
		}
		if unknown := r.Gate(p) &^ AllGates &^ noPortInGate; unknown != 0 {
			c.add(s, ErrWait, "Wait has unknown gates %#x: want Room and Sendable", uint8(unknown))
		}
	}
}

// wait checks that what is waited for is told to someone, and the reverse.
func (c *checker) wait(s State) {
	switch r := c.t.Resolve(s); {
	case r.Wait != 0 && r.OnReady == nil:
		c.add(s, ErrWait, "Wait without an OnReady handler: give this row or row any one")
	case r.Wait == 0 && r.OnReady != nil:
		c.add(s, ErrWait, "an OnReady handler without Wait: say what it waits for, here or in row any")
	}
}

func (c *checker) message(s State) {
	r := c.t.Resolve(s)
	if c.messages && r.OnMessage == nil && !r.Defer && !r.passes() {
		c.add(s, ErrMessage, "takes no messages: give this row or row any an OnMessage handler, or set Defer")
	}
}

// stay checks that the state is left some day.
func (c *checker) stay(s State) {
	r, base := c.t.Resolve(s), &c.t[Any]
	if r.passes() {
		return
	}
	if r.Within.D == 0 && r.Idle.D == 0 && !base.Within.Runs() {
		c.add(s, ErrEndless, "may wait for ever: bound it with Within or Idle (timers of a name do not), or set one to fsm.Never")
	}
	// An error stops a machine that says nothing of it, and only what waits can have one.
	deaf := r.Wait == 0 && or(c.t[s].Fail, base.Fail) == Stay
	if deaf {
		r.Fail = Stay
	}
	out := r.To &^ To(s)
	stops := false
	for _, x := range append(r.exits(), base.life()...) {
		out |= To(x.to) &^ To(s)
		stops = stops || x.to == Stop
	}
	if out == 0 && !stops {
		c.add(s, ErrDeadEnd, "leads nowhere: want a state in To, a deadline, Fail or Shutdown")
	}
}

// passes tells whether a row in effect only passes through: its Enter leads on, and
// no event could.
func (r *Row[M, C, Msg]) passes() bool {
	return r.OnEnter != nil && r.Wait == 0 && r.OnReady == nil && r.OnMessage == nil && r.OnTimer == nil && r.OnDown == nil && r.OnSignal == nil
}

func (r *Row[M, C, Msg]) empty() bool {
	return r.Name == "" && r.Wait == 0 && r.To == 0 && !r.Defer && r.Fail == Stay && r.Shutdown == Stay &&
		r.Within == Deadline{} && r.Idle == Deadline{} && r.Stall == Deadline{} &&
		r.OnEnter == nil && r.OnExit == nil && r.OnReady == nil && r.OnMessage == nil &&
		r.OnTimer == nil && r.OnDown == nil && r.OnSignal == nil
}

// reach is every state that edges lead to from the start. Where row Any's Enter may
// begin instead is in row Any's To, and so in every row's edges already.
func (c *checker) reach() States {
	if !c.is(c.start) {
		return ^States(0) // reported; where it leads can't be told
	}
	seen, next := To(c.start), To(c.start)
	for next != 0 {
		s := State(bits.TrailingZeros64(uint64(next)))
		next &= next - 1
		fresh := c.t.Edges(s) &^ seen & (1<<len(c.t) - 1)
		seen |= fresh
		next |= fresh
	}
	return seen
}

// specs checks the named timers.
func (c *checker) specs() {
	if len(c.timers) > 1<<8 {
		c.addAt(Any, "table", ErrTimer, "%d timers: want at most %d", len(c.timers), 1<<8)
	}
	names := make(map[string]int)
	for i, spec := range c.timers {
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
			found(ErrTarget, "In names what can't be a state: want 1 to %d", len(c.t)-1)
		}
		spec.In.each(func(s State) {
			if !c.is(s) {
				found(ErrTarget, "In names %s, which is no row: want 1 to %d", s, len(c.t)-1)
			} else if c.t.Resolve(s).OnTimer == nil {
				found(ErrTimer, "may fire in %s, which has no OnTimer handler: give it or row any one", c.where(s))
			}
		})
		if spec.In == 0 && !c.some(func(r *plainRow) bool { return r.OnTimer != nil }) {
			found(ErrTimer, "no row has an OnTimer handler")
		}
	}
}
