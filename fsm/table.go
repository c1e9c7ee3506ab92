package fsm

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/internal/durations"
	"github.com/stator-go/stator/sig"
)

// Deadline is a time and the state that it leads to when it has passed. Create it with
// [After]. In a row, a zero Idle or Stall means that of row Any; a zero Within means no
// bound.
type Deadline struct {
	D  time.Duration
	To State
}

// Never is a deadline that never expires. As Within or Idle of a state it says that the
// machine may wait there for ever, and Check does not report the state.
var Never = Deadline{D: -1}

// After returns the deadline that leads to state to after d.
func After(d time.Duration, to State) Deadline { return Deadline{d, to} }

// Runs reports whether d can expire: it is neither zero nor Never.
func (d Deadline) Runs() bool { return d.D > 0 }

// Row describes a state. M is the type of the machine, C that of the context that
// its handlers get, Msg that of its messages.
type Row[M, C, Msg any] struct {
	Name string

	Wait   Ready    // readiness to wait for; Wait and OnReady must be set together
	Within Deadline // bounds the time in the state; in row Any, the life of the machine; zero: no bound
	Idle   Deadline // bounds the time without input and messages; zero: that of row Any
	Stall  Deadline // bounds the time in which written bytes make no progress; zero: that of row Any
	Defer  bool     // messages wait for the next transition; they keep their space in the mailbox

	// Handlers. They return the next state.
	OnEnter   func(*M, C) State          // on each entry, before any event; may return another state, 8 times in a row at most
	OnExit    func(*M, C)                // when the state is left, also by Stop
	OnReady   func(*M, C, Ready) State   // readiness; called again as long as it makes progress
	OnMessage func(*M, C, *Msg) State    // a message
	OnTimer   func(*M, C, Fired) State   // a named timer has expired
	OnDown    func(*M, C, Down) State    // a monitored machine has ended
	OnSignal  func(*M, C, sig.Set) State // signals that the machine asked for

	// Fail is the state after an error. Stay means that of row Any; if that is Stay
	// too, an error stops the machine and is the reason of its end.
	Fail State
	// Shutdown is the state after a shutdown, entered when nothing is ready any more.
	// The row's own state means to continue, without a transition. Stay means that of
	// row Any; if that is Stay too, it means to continue.
	Shutdown State
	// To declares the states that the handlers may return. The targets of deadlines,
	// Fail and Shutdown, and Stop, need not be declared.
	To States
}

// Table is the rows of a machine, indexed by State. It must not be changed while it is
// used; any number of goroutines may read it.
type Table[M, C, Msg any] []Row[M, C, Msg]

// Resolve returns the row of state s with its empty fields filled in from row Any:
//
//   - Wait, Idle, Stall, Fail, Shutdown, OnMessage, OnTimer, OnDown and OnSignal;
//   - row Any's OnReady, but only if the state waits for something;
//   - To is the union of both, as the handlers from row Any may return its states.
//
// Name, Within, Defer, OnEnter and OnExit are the row's own. If Fail is empty in both rows,
// it is Stop. Resolve(Any) returns row Any unchanged.
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

// or returns own, or base if own is the zero value.
func or[T comparable](own, base T) T {
	var zero T
	if own == zero {
		return base
	}
	return own
}

// Edges returns all states that state s leads to: those in To, and the targets of its
// deadlines, Fail and Shutdown. It uses the fields that [Table.Resolve] returns, and
// Within of row Any. Edges(Any) uses the fields of row Any. The edge to Stop is not
// included; see [Table.Stops].
func (t Table[M, C, Msg]) Edges(s State) States {
	r := t.Resolve(s)
	set := r.To
	for _, x := range r.allExits(s, &t[Any]) {
		set |= To(x.to)
	}
	return set &^ noState
}

// Stops reports whether a deadline, Fail or Shutdown of state s leads to Stop, including
// those from row Any. In addition, every handler may return Stop.
func (t Table[M, C, Msg]) Stops(s State) bool {
	r := t.Resolve(s)
	for _, x := range r.allExits(s, &t[Any]) {
		if x.to == Stop {
			return true
		}
	}
	return false
}

// exit is a transition that a field of a row declares, and no handler returns.
type exit struct {
	to    State
	why   string
	after time.Duration // of a deadline; 0 otherwise
}

func (x exit) String() string {
	if x.after == 0 {
		return x.why
	}
	return x.why + " " + durations.Short(x.after)
}

// exits returns the transitions that the fields of r declare, other than To.
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

// allExits returns the exits of a resolved row of state s, and the exit by row Any's
// Within. A Shutdown that leads to s itself is not an exit: it means to continue.
func (r *Row[M, C, Msg]) allExits(s State, base *Row[M, C, Msg]) []exit {
	own := *r
	if own.Shutdown == s {
		own.Shutdown = Stay
	}
	return append(own.exits(), base.lifeExit()...)
}

// lifeExit returns the exit by Within of row Any, if that runs.
func (r *Row[M, C, Msg]) lifeExit() []exit {
	if r.Within.Runs() {
		return []exit{{r.Within.To, "life", r.Within.D}}
	}
	return nil
}

// NameOf returns the name of state s for output: the Name of its row, the name of a
// special state, or "state" and its number.
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

// none replaces the type arguments of a table.
type none = struct{}

// Plain is a table without its type arguments, as returned by [Table.Plain]. Code that
// reads tables and does not run them can use it and need not be generic.
type Plain = Table[none, none, none]

type plainRow = Row[none, none, none]

// Plain returns the table without its type arguments. A handler that is not nil is
// replaced by one that does nothing.
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
		p.OnSignal = func(*none, none, sig.Set) State { return Stay }
	}
	return p
}
