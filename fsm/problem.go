package fsm

import "errors"

// The kinds of problems that Check reports. Use them with errors.Is, or compare them
// with Problem.Kind.
var (
	ErrTable       = errors.New("not a table")        // no states, or too many
	ErrPorts       = errors.New("ports out of range") // more ports than a machine may own
	ErrStart       = errors.New("start out of range") // the first state has no row
	ErrGap         = errors.New("empty row")          // a row between states is empty
	ErrName        = errors.New("bad name")           // no name, or the same name twice
	ErrAny         = errors.New("no use in row any")  // a field that has no effect in row Any
	ErrWait        = errors.New("bad wait")           // Wait without OnReady, OnReady without Wait, or a wrong port
	ErrDeadline    = errors.New("bad deadline")       // a negative time, no time, or no target
	ErrTarget      = errors.New("bad target")         // a target that has no row
	ErrUnreachable = errors.New("unreachable")        // no edges lead here from the first state
	ErrEndless     = errors.New("may wait for ever")  // neither Within nor Idle
	ErrDeadEnd     = errors.New("leads nowhere")      // no edge leads out
	ErrMessage     = errors.New("unhandled messages") // messages without a handler, or a handler without messages
	ErrTimer       = errors.New("unhandled timers")   // timers without a handler, a handler without timers, or a bad spec
)

// Problem is a mistake in a table.
type Problem struct {
	State State  // the row; Any also for the table as a whole and for timers
	Where string // the same in words: `state 3 "head"`, "row any", "table", `timer 0 "ping"`
	Kind  error  // one of the errors above
	Text  string // what is wrong and what is allowed
}

// Error returns Where and Text.
func (p *Problem) Error() string { return "fsm: " + p.Where + ": " + p.Text }

// Unwrap returns Kind.
func (p *Problem) Unwrap() error { return p.Kind }

// Problems returns the problems in an error of Check, ordered by row and then by timer.
func Problems(err error) (all []*Problem) {
	var one *Problem
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range list.Unwrap() {
			all = append(all, Problems(e)...)
		}
	} else if errors.As(err, &one) {
		all = append(all, one)
	}
	return all
}
