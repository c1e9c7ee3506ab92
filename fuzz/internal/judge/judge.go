// Package judge decides whether a run fails, and why.
//
// A Judge observes a world of package sim, and turns observations into at most one
// Failure per run. Most oracles look at one run alone. Those of metamorphic.go run a trace
// again, with a change that must not matter, and compare.
package judge

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Config sets what a Judge checks.
type Config struct {
	Oracles  []Oracle // beside those that every run is judged by
	Without  Check    // that are left out
	Isolated bool     // no connection's output depends on another one
	Pressure bool     // nor on how fast peers read, nor on how much others ask for
	Conns    int      // that peers dial
	Patience time.Duration
	Faults   trace.Weights // variants have no events that are off
}

// Check is a set of checks that may be left out. fuzz.Check documents them.
type Check uint16

const (
	CheckSegmentation Check = 1 << iota
	CheckHangUp
	CheckSpuriousEvents
	CheckDeadlines
	CheckLostOutput
	CheckLateEnd
	CheckLeaks
)

// Judge runs traces and judges them.
type Judge struct {
	Pressure Pressure // which failures of variants under pressure count in deep checks

	cfg       Config
	w         *sim.World
	failure   *Failure
	choked    choked
	asking    string // the oracle that is called; empty: none
	history   recorder
	deadlines deadlines
	leaks     leaks
	notes     Notes
	doubt     bool // an oracle cannot decide a connection of the run
	short     bool // runs end when faults cease
	cut       bool // the run was cut off as machines dialled on and on
	endless   bool // a run of the trace, or of a variant of it, was
}

// New returns a Judge of a world, as its first observer.
func New(w *sim.World, cfg Config) *Judge {
	j := &Judge{cfg: cfg, w: w, notes: Notes{judged: make([]bool, len(cfg.Oracles))}}
	for _, o := range cfg.Oracles {
		j.history.on = j.history.on || o.Remembers()
	}
	j.deadlines.on = cfg.Without&CheckDeadlines == 0
	if len(cfg.Oracles) > 0 {
		w.StartTracing() // models are to know why a machine ended
	}
	w.Attach(j)
	return j
}

// World returns the world that is judged.
func (j *Judge) World() *sim.World { return j.w }

// Config returns what the Judge judges by.
func (j *Judge) Config() Config { return j.cfg }

// Notes are what a Judge keeps of runs, beside their failures.
type Notes struct {
	Undecided int    // runs that an oracle could not decide in its time
	judged    []bool // by oracle: it has judged a connection
}

// Add adds the notes of other runs, made under the same Config.
func (n *Notes) Add(other *Notes) {
	n.Undecided += other.Undecided
	for len(n.judged) < len(other.judged) {
		n.judged = append(n.judged, false)
	}
	for i, judged := range other.judged {
		n.judged[i] = n.judged[i] || judged
	}
}

// Take moves the notes of the runs since the last call to n.
func (j *Judge) Take(n *Notes) {
	n.Undecided, n.judged = j.notes.Undecided, append(n.judged[:0], j.notes.judged...)
	j.notes.Undecided = 0
	clear(j.notes.judged)
}

// Failure returns what is wrong with the run so far; nil if nothing is.
func (j *Judge) Failure() *Failure { return j.failure }

// Run runs a trace and returns its failure, or nil.
func (j *Judge) Run(tr trace.Trace) *Failure { return j.run(tr, sim.Options{}) }

func (j *Judge) run(tr trace.Trace, opts sim.Options) *Failure {
	j.w.Run(tr, opts)
	return j.failure
}

// Check runs a trace and returns its failure, or nil. If deep is true, it also runs variants
// of the trace and compares. The observer o, if there is one, sees the first run only.
func (j *Judge) Check(tr trace.Trace, deep bool, o sim.Observer) *Failure {
	if o != nil {
		j.w.Attach(o)
	}
	j.endless = false
	f := j.Run(tr)
	if j.deadlines.deaf { // events of machines matter, and were not reported
		j.deadlines.deaf = false
		j.w.StartTracing()
		f = j.Run(tr)
	}
	if o != nil {
		j.w.Detach(o)
	}
	sum := j.w.Sum()
	if f == nil {
		f = j.judgeChoked(tr)
	}
	if f != nil || !deep || j.endless {
		return f
	}
	if f = j.again(tr, sum); f == nil {
		if f = j.compare(tr); f != nil {
			if g := j.compare(tr); g == nil || g.Text != f.Text { // to the digit
				f = Unsteady(tr, f.Runs...)
			}
		}
	}
	return f
}

// Rerun runs a variant of a trace for o, and returns what is wrong with it.
func (j *Judge) Rerun(v Variant, o sim.Observer) *Failure {
	j.w.Attach(o)
	defer j.w.Detach(o)
	return j.run(v.Trace, sim.Options{Again: true, Spurious: v.Spurious})
}

// Fail ends the run with a failure, unless it has one already: the first failure counts.
func (j *Judge) Fail(oracle, format string, args ...any) {
	if j.failure == nil {
		event, now, stage := j.w.Moment()
		j.failure = &Failure{Oracle: oracle, Text: fmt.Sprintf(format, args...), At: event, Time: time.Duration(now), During: stage.String()}
		j.w.Halt()
	}
}

func (j *Judge) Wants() []sim.What {
	all := []sim.What{sim.RunBegins, sim.SetupFailed, sim.EventOver, sim.Rested, sim.Moved, sim.Ended, sim.Stuck, sim.Always,
		sim.Misuse, sim.Idles, sim.Chatters, sim.Panics, sim.Exits, sim.FaultsOver, sim.ReadsLate, sim.Unaccepted, sim.ConnOver,
		sim.HoldsOpen, sim.Unanswered, sim.StaleEvents, sim.LoopsLeft, sim.LoopRemains,
		sim.LosesInput, sim.Starves, sim.EndsLate, sim.DropsOutput, sim.HidesError, sim.Resets, sim.RoundOver, sim.DialsOn}
	if j.history.on {
		all = append(all, sim.Connects, sim.Sends, sim.Gets, sim.Finishes, sim.Closes, sim.GetsEnd, sim.GetsReset, sim.MachineCloses)
	}
	return all
}

func (j *Judge) Observe(o *sim.Observation) {
	if j.cut && o.What != sim.RunBegins {
		return // not all happens that would
	}
	switch o.What {
	case sim.RunBegins:
		j.failure, j.choked, j.asking = nil, choked{}, ""
		j.doubt, j.cut = false, false
		j.leaks.again = o.Again
		j.history.begin(2*j.cfg.Conns, j.w.Trace())
		j.deadlines.begin()
	case sim.EventOver, sim.Rested:
		j.judgeDeadlines()
	case sim.Moved:
		j.moved(o)
	case sim.Stuck:
		j.deadlines.expect(o.Machine, j.w.Tracing())
	case sim.Ended:
		j.ended(o)
	case sim.Always:
		switch {
		case o.OK:
		case o.Err != nil:
			j.Fail(Always, "%s: %v", o.Name, o.Err)
		default:
			j.Fail(Always, "%s", o.Name)
		}
	case sim.DialsOn:
		j.dialsOn()
	case sim.Connects, sim.Sends, sim.Gets, sim.Finishes, sim.Closes, sim.GetsEnd, sim.GetsReset:
		j.history.observe(o)
	case sim.MachineCloses:
		if c := j.w.Conn(o.Conn); o.Machine != nil && c.Of(o.Machine) {
			j.machineEnds(c, o.Time)
		}
	case sim.RoundOver:
		j.judgeRound(o)
	case sim.FaultsOver:
		if j.short {
			j.w.Halt()
			return
		}
		j.history.calm = o.Time
		j.judgeOpenConns()
	case sim.ConnOver:
		j.judgeOver(j.w.Conn(o.Conn))
	case sim.LoopsLeft:
		j.judgeHistory()
		if j.doubt {
			j.notes.Undecided++
		}
		j.judgeDatagrams()
	default:
		j.judgeFact(o)
	}
}

// dialsOn ends a run in which machines dial on and on. What is still to be judged is undecided.
func (j *Judge) dialsOn() {
	if j.failure == nil {
		j.endless, j.cut = true, true
		j.notes.Undecided++
		j.w.Halt()
	}
}

// judgeFact judges observations that are failures by themselves, or with their numbers.
func (j *Judge) judgeFact(o *sim.Observation) {
	switch o.What {
	case sim.SetupFailed:
		if crash := new(sim.PanicError); errors.As(o.Err, &crash) {
			j.Fail(Setup, "Spec.Setup panicked: %v", crash)
			j.failure.Stack = crash.Stack
		} else {
			j.Fail(Setup, "%v", o.Err)
		}
	case sim.Panics:
		j.Fail(Panic, "%s panicked: %v", j.caller(o), o.Err)
		if crash := new(sim.PanicError); errors.As(o.Err, &crash) {
			j.failure.Stack = crash.Stack
		}
	case sim.Exits:
		j.Fail(Panic, "%s ended its goroutine, as Fatal and FailNow of a test do: want a return, or a panic", j.caller(o))
	case sim.Misuse:
		j.Fail(Contract, "%s", o.Name)
	case sim.Idles:
		j.Fail(Livelock, "loop %d does not come to rest: it took %d turns in which nothing moved", o.Loop, o.N)
	case sim.Chatters:
		j.Fail(Livelock, "loop %d does not come to rest: it took %d turns, writes and messages at one moment, in which no machine read anything", o.Loop, o.N)
		j.failure.Chatters = true
	case sim.ReadsLate:
		j.Fail(LostWakeUp, "%d bytes wait for a machine, which reads them only when it gets their event again", o.N)
	case sim.LosesInput:
		k := o.Machine.Kind
		j.Fail(LostInput, "%s ends by an error of a connection that state %s reads, and %d bytes that came before the error are not read", k.Name(), k.StateName(o.From), o.N)
		j.failure.State = k.StateName(o.From)
	case sim.Starves:
		if j.cfg.Pressure {
			j.Fail(Starvation, "%s waits for Config.Buffers, although it has read and written little, its peers read, and few machines have ports", machineName(o.Machine))
			j.failure.State = o.Machine.Kind.StateName(o.Machine.State)
		}
	case sim.EndsLate:
		if j.cfg.Without&CheckLateEnd == 0 {
			j.Fail(LateEnd, "all peers of %s%s have ended, and nothing is left to read or to send, but it lives on until a deadline", machineName(o.Machine), j.connsOf(o.Machine))
			j.failure.State = o.Machine.Kind.StateName(o.Machine.State)
		}
	case sim.DropsOutput:
		if j.cfg.Without&CheckLostOutput != 0 {
			return
		}
		j.Fail(LostOutput, "%s in state %s closes a connection before what it wrote is sent: want fsm.Stop, which sends it, or a state that waits for Drained (Spec.Without: fuzz.LostOutput for a client that gives up its server)", o.Machine.Kind.Name(), o.Machine.Kind.StateName(o.Machine.State))
		j.failure.State = o.Machine.Kind.StateName(o.Machine.State)
	case sim.HidesError:
		j.Fail(FalseEnd, "%s ended as another connection broke, and its peer finds a clean end: want a reset", o.Machine.Kind.Name())
	case sim.Resets:
		j.Fail(FalseEnd, "%s ended by itself, and closes with %d bytes unread, which resets its peer: want a clean end", o.Machine.Kind.Name(), o.N)
	case sim.Unaccepted:
		if o.Free > 0 {
			j.Fail(Quiescence, "%d connections wait at %s to be accepted, although %d of %d slots are free", o.N, o.Name, o.Free, o.Limit)
		}
	case sim.Unanswered:
		j.Fail(Quiescence, "a machine waits forever for a connection to %s, which is never answered", o.Name)
	case sim.HoldsOpen:
		j.Fail(Quiescence, "connection %d: its peer has closed, but %s still has its end open %v later", o.Conn, machineName(o.Machine), sim.Patience)
	case sim.StaleEvents:
		if o.Limit < o.N {
			j.Fail(StaleEvent, "loop %d got %d events of closed sockets, but dropped only %d", o.Loop, o.N, o.Limit)
		}
	case sim.LoopRemains:
		j.Fail(Quiescence, "loop %d was stopped, but has not ended", o.Loop)
	}
}

// caller returns what panicked: an oracle, an action, work, or the loop.
func (j *Judge) caller(o *sim.Observation) string {
	switch {
	case j.asking != "":
		return fmt.Sprintf("oracle %q", j.asking)
	case o.OK:
		return o.Name
	}
	return "the loop itself"
}

// moved judges a transition.
func (j *Judge) moved(o *sim.Observation) {
	k := o.Machine.Kind
	if !k.Declares(o.From, o.To) {
		j.Fail(UndeclaredEdge, "%s went from %s to %s, which its table does not declare", k.Name(), k.StateName(o.From), k.StateName(o.To))
	}
	j.deadlines.expect(o.Machine, j.w.Tracing())
}

// ended judges why a machine ended.
func (j *Judge) ended(o *sim.Observation) {
	for i := 0; i < j.w.Conns() && j.history.on; i++ {
		if c := j.w.Conn(i); c.Of(o.Machine) {
			j.machineEnds(c, o.Time)
		}
	}
	if j.failure == nil {
		j.failRelay(j.ends(o))
	}
	if o.Err == nil || j.failure != nil {
		return
	}
	k := o.Machine.Kind
	var crash *reactor.PanicError
	switch {
	case errors.As(o.Err, &crash):
		j.Fail(Panic, "%s panicked in state %q: %v", k.Name(), crash.State, crash.Value)
		j.failure.Stack = crash.Stack
	case errors.Is(o.Err, reactor.ErrEdge):
		j.Fail(UndeclaredEdge, "%v", o.Err)
	case errors.Is(o.Err, reactor.ErrSpin), errors.Is(o.Err, reactor.ErrEnterLoop):
		j.Fail(Livelock, "%s ended: %v", k.Name(), o.Err)
	default:
		if j.cfg.Pressure {
			j.choke(o)
		}
		return
	}
	j.failure.State = k.StateName(o.Machine.Before)
}

// connsOf names the connections of a machine, for a failure's text; empty if it has none.
func (j *Judge) connsOf(m *sim.Machine) string {
	var all []string
	for i := range j.w.Conns() {
		if j.w.Conn(i).Of(m) {
			all = append(all, fmt.Sprint(i))
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return " (connection " + all[0] + ")"
	}
	return " (connections " + strings.Join(all, " and ") + ")"
}

// machineName returns a machine with its state, for a failure's text.
func machineName(m *sim.Machine) string {
	if m == nil || m.Kind == nil {
		return "a machine"
	}
	return fmt.Sprintf("%s in state %s", m.Kind.Name(), m.Kind.StateName(m.State))
}
