package reactor

import "github.com/stator-go/stator/fsm"

// Observer is told what a loop's machines do, on the loop's goroutine: for traces,
// coverage and tests. It must not block, and not call the loop. Its
// panic ends the machine that it was told of.
type Observer interface {
	// Moved tells of a transition before the Enter of its state: from fsm.Any is
	// birth, to fsm.Stop the end.
	Moved(t Token, k AnyKind, from, to State)
	// Ended tells why a machine ended, as Options.OnEnd does.
	Ended(t Token, k AnyKind, reason error)
}

// AnyKind is a Kind whatever its types.
type AnyKind interface {
	Name() string
	StateName(State) string
	// Declares tells whether the table has the edge. Births and Stop need none.
	Declares(from, to State) bool
	// Plain is the table without its types: for diagrams and coverage.
	Plain() fsm.Plain
	Options() Options
}

// Plain is the kind's table without its types.
func (k *Kind[M, Msg]) Plain() fsm.Plain { return k.table.Plain() }

// StateName is the name of a state's row, or of a special state.
func (k *Kind[M, Msg]) StateName(s State) string { return k.table.NameOf(s) }

// Declares tells whether the table has an edge from one state to another. Births
// and Stop need none.
func (k *Kind[M, Msg]) Declares(from, to State) bool {
	return from == 0 || to == fsm.Stop || int(from) < len(k.info) && k.info[from].to.Has(to)
}
