package reactor

import "github.com/stator-go/stator/fsm"

// Observer is called for what the machines of a loop do, on the loop's goroutine. It is for
// coverage, statistics and tests. It must not block, and must not call the loop. A panic of
// an Observer ends the machine that it was called for.
type Observer interface {
	// Moved is called for each transition, before the OnEnter of the new state. A
	// transition from fsm.Any is the machine's start, one to fsm.Stop its end.
	Moved(t Token, k AnyKind, from, to State)
	// Ended is called with the reason of a machine's end, as Options.OnEnd is.
	Ended(t Token, k AnyKind, reason error)
}

// AnyKind is a Kind of any types.
type AnyKind interface {
	Name() string
	StateName(State) string
	// Declares reports whether the table has a transition. The start of a machine, and its
	// end by fsm.Stop, need not be declared.
	Declares(from, to State) bool
	// Handler returns the function that is called for an event in a state; nil if none is.
	Handler(State, Event) any
	// Plain returns the table without its types, for diagrams and coverage.
	Plain() fsm.Plain
	Options() Options
}

// Plain returns the kind's table without its types, for diagrams and coverage.
func (k *Kind[M, Msg]) Plain() fsm.Plain { return k.table.Plain() }

// StateName returns the name of a state's row, or of a special state.
func (k *Kind[M, Msg]) StateName(s State) string { return k.table.NameOf(s) }

// Declares reports whether the table has a transition from one state to another. The start
// of a machine, and its end by fsm.Stop, need not be declared.
func (k *Kind[M, Msg]) Declares(from, to State) bool {
	return from == 0 || to == fsm.Stop || int(from) < len(k.info) && k.info[from].to.Has(to)
}

// Handler returns the function that is called for an event in a state, for reports; nil if
// none is.
func (k *Kind[M, Msg]) Handler(s State, c Event) any {
	r := k.table.Resolve(s) // rows may have handlers that call a tracer
	switch {
	case c == EventEnter && r.OnEnter != nil:
		return r.OnEnter
	case c == EventReady && r.OnReady != nil:
		return r.OnReady
	case c == EventMessage && r.OnMessage != nil:
		return r.OnMessage
	case c == EventTimer && r.OnTimer != nil:
		return r.OnTimer
	case c == EventDown && r.OnDown != nil:
		return r.OnDown
	case c == EventSignal && r.OnSignal != nil:
		return r.OnSignal
	}
	return nil
}
