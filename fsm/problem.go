package fsm

import "errors"

// What Check finds, to be asked for with errors.Is. Each is found as the Kind of a
// Problem that says where.
var (
	ErrTable       = errors.New("not a table")              // no state of one's own, or too many
	ErrPorts       = errors.New("ports out of range")       // more than a machine may own
	ErrStart       = errors.New("start out of range")       // the first state is no row
	ErrGap         = errors.New("empty row")                // a number that no state uses
	ErrName        = errors.New("bad name")                 // none, or one that is taken
	ErrAny         = errors.New("no use in row any")        // a field that no row takes from there
	ErrWait        = errors.New("bad wait")                 // Wait without Ready, or the reverse, or a wrong port
	ErrDeadline    = errors.New("bad deadline")             // negative, or without an end to lead to
	ErrTarget      = errors.New("bad target")               // an edge to what is no row
	ErrUnreachable = errors.New("unreachable")              // no edge leads here from the start
	ErrEndless     = errors.New("may wait for ever")        // nothing bounds the stay
	ErrDeadEnd     = errors.New("leads nowhere")            // no way out
	ErrMessage     = errors.New("messages that none takes") // or a handler for messages that don't come
	ErrTimer       = errors.New("timers that none takes")   // or a handler for timers that don't run, or a bad spec
)

// Problem is one thing that is wrong with a table.
type Problem struct {
	State State  // the row; Any also for what is wrong with the table as a whole
	Where string // the same for people: `state 3 "head"`, "row any", "table", `timer 0 "ping"`
	Kind  error  // one of the errors above
	Text  string // what is wrong and what is allowed
}

func (p *Problem) Error() string { return "fsm: " + p.Where + ": " + p.Text }

// Unwrap is Kind.
func (p *Problem) Unwrap() error { return p.Kind }

// Problems lists what Check found, in its order: by row, then timers.
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
