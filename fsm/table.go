package fsm

import (
	"fmt"
	"strings"
	"time"
)

// Deadline is a bound and the state that it leads to. The zero Deadline is row
// Any's.
type Deadline struct {
	D  time.Duration
	To State
}

// Never says, as Within or as Idle, that a state may wait for ever, so that Check
// keeps quiet.
var Never = Deadline{D: -1}

// After leads to a state when d has passed.
func After(d time.Duration, to State) Deadline { return Deadline{d, to} }

// Runs tells whether the deadline bounds anything: it is neither left empty nor Never.
func (d Deadline) Runs() bool { return d.D > 0 }

// Row is a state. M is the machine, C the context its handlers get, Msg its
// message type.
type Row[M, C, Msg any] struct {
	Name string

	Wait   Ready    // readiness waited for; required with Ready, forbidden without
	Within Deadline // bounds the stay, however busy; of row Any: the machine's life
	Idle   Deadline // bounds silence: no byte came in, and no message
	Stall  Deadline // bounds how long written bytes do not move
	Defer  bool     // messages wait until the state changes (they count against the mailbox)

	OnEnter   func(*M, C) State          // on each entry, before any event; may lead on (8 times at most)
	OnExit    func(*M, C)                // on each leaving, a stop too
	OnReady   func(*M, C, Ready) State   // readiness: called again while it makes progress
	OnMessage func(*M, C, *Msg) State    // a message
	OnTimer   func(*M, C, Fired) State   // a named timer
	OnDown    func(*M, C, Down) State    // what was monitored has ended
	OnSignal  func(*M, C, Signals) State // signals asked for

	Fail     State  // where an error leads: Stay is row Any's, then Stop with the error as reason
	Shutdown State  // where a shutdown leads as soon as nothing is ready; its own state: go on, nothing is entered; Stay is row Any's, then: go on
	To       States // where the handlers lead (deadlines, Fail, Shutdown and Stop need no naming)
}

// Table is a machine's rows, by State. A table that is in use is not changed: any
// number of goroutines may read it.
type Table[M, C, Msg any] []Row[M, C, Msg]

// Resolve is the row that state s has in effect: its own, with what it leaves
// empty taken from row Any.
//
// Taken are Wait, Idle, Stall, the handlers OnReady, OnMessage, OnTimer, OnDown and
// Signal, Fail and Shutdown; an OnReady handler is taken only by a row that waits
// for something. Row Any's To is added to the row's: the handlers taken may lead
// there. Not taken are Within, Enter and Exit, which are the machine's life, birth
// and end in row Any; nor Defer; nor Name.
//
// Fail is Stop when neither row says anything else. Resolve(Any) is row Any.
func (t Table[M, C, Msg]) Resolve(s State) Row[M, C, Msg] {
	r, base := t[s], &t[Any]
	if s == Any {
		return r
	}
	r.Wait = or(r.Wait, base.Wait)
	r.Idle = or(r.Idle, base.Idle)
	r.Stall = or(r.Stall, base.Stall)
	r.Fail = or(or(r.Fail, base.Fail), Stop)
	r.Shutdown = or(r.Shutdown, base.Shutdown)
	r.To |= base.To
	if r.OnReady == nil && r.Wait != 0 {
		r.OnReady = base.OnReady
	}
	if r.OnMessage == nil {
		r.OnMessage = base.OnMessage
	}
	if r.OnTimer == nil {
		r.OnTimer = base.OnTimer
	}
	if r.OnDown == nil {
		r.OnDown = base.OnDown
	}
	if r.OnSignal == nil {
		r.OnSignal = base.OnSignal
	}
	return r
}

// or is own, or when that is empty what row Any has.
func or[T comparable](own, base T) T {
	var empty T
	if own == empty {
		return base
	}
	return own
}

// Edges is every state of one's own that row s leads to, by whatever way: what its
// handlers answer (To), its deadlines, Fail and Shutdown, its own or row Any's, and
// the bound of the machine's life. Row Any's edges are those of its own fields.
// See Stops for the edge to Stop.
func (t Table[M, C, Msg]) Edges(s State) States {
	r := t.Resolve(s)
	set := r.To
	for _, x := range r.ways(s, &t[Any]) {
		set |= To(x.to)
	}
	return set &^ noState
}

// Stops tells whether row s leads to Stop by a deadline, Fail or Shutdown, its own
// or row Any's. A handler may always answer Stop as well.
func (t Table[M, C, Msg]) Stops(s State) bool {
	r := t.Resolve(s)
	for _, x := range r.ways(s, &t[Any]) {
		if x.to == Stop {
			return true
		}
	}
	return false
}

// exit is a way out of a row that no handler answers.
type exit struct {
	to    State
	why   string
	after time.Duration // of a deadline
}

func (x exit) String() string {
	if x.after == 0 {
		return x.why
	}
	after := strings.Replace(x.after.String(), "m0s", "m", 1) // 1m, not 1m0s
	return x.why + " " + strings.Replace(after, "h0m", "h", 1)
}

// exits is where the fields of r lead without a handler's answer.
func (r *Row[M, C, Msg]) exits() (all []exit) {
	for _, d := range [...]struct {
		why string
		Deadline
	}{{"within", r.Within}, {"idle", r.Idle}, {"stall", r.Stall}} {
		if d.Runs() {
			all = append(all, exit{d.To, d.why, d.D})
		}
	}
	if r.Fail != Stay {
		all = append(all, exit{to: r.Fail, why: "fail"})
	}
	if r.Shutdown != Stay {
		all = append(all, exit{to: r.Shutdown, why: "shutdown"})
	}
	return all
}

// ways is exits, and life, of row s as it is in effect. A shutdown that leads to the
// state itself is none: it says to go on.
func (r *Row[M, C, Msg]) ways(s State, base *Row[M, C, Msg]) []exit {
	own := *r
	if own.Shutdown == s {
		own.Shutdown = Stay
	}
	return append(own.exits(), base.life()...)
}

// life is where row Any's Within leads, which every state leads to as well.
func (r *Row[M, C, Msg]) life() []exit {
	if r.Within.Runs() {
		return []exit{{r.Within.To, "life", r.Within.D}}
	}
	return nil
}

// NameOf is the name of state s for people: that of its row, or of a special
// state, or its number.
func (t Table[M, C, Msg]) NameOf(s State) string {
	switch {
	case s == Any:
		return "any"
	case int(s) < len(t) && t[s].Name != "":
		return t[s].Name
	case s > Last:
		return s.String()
	}
	return fmt.Sprintf("state %d", s)
}

// none stands for the types that a table's checks and drawings don't need.
type none = struct{}

// Plain is a table without its types, as Table.Plain makes it: what reads tables and
// does not run them can be written for this one alone.
type Plain = Table[none, none, none]

type plainRow = Row[none, none, none]

// Plain is the table without its types. Of the handlers it keeps whether they are
// there: those of the answer do nothing.
func (t Table[M, C, Msg]) Plain() Plain {
	p := make(Plain, len(t))
	for s := range t {
		p[s] = t[s].plain()
	}
	return p
}

func (r *Row[M, C, Msg]) plain() plainRow {
	p := plainRow{
		Name: r.Name, Wait: r.Wait, Within: r.Within, Idle: r.Idle, Stall: r.Stall, Defer: r.Defer,
		Fail: r.Fail, Shutdown: r.Shutdown, To: r.To,
	}
	if r.OnEnter != nil {
		p.OnEnter = func(*none, none) State { return Stay }
	}
	if r.OnExit != nil {
		p.OnExit = func(*none, none) {}
	}
	if r.OnReady != nil {
		p.OnReady = func(*none, none, Ready) State { return Stay }
	}
	if r.OnMessage != nil {
		p.OnMessage = func(*none, none, *none) State { return Stay }
	}
	if r.OnTimer != nil {
		p.OnTimer = func(*none, none, Fired) State { return Stay }
	}
	if r.OnDown != nil {
		p.OnDown = func(*none, none, Down) State { return Stay }
	}
	if r.OnSignal != nil {
		p.OnSignal = func(*none, none, Signals) State { return Stay }
	}
	return p
}
