package report

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Tally counts what runs do, for a Report. It is given the Notes of all runs of a search, in
// their order. They include the further runs of checks that compare.
type Tally struct {
	known    *search.Known
	began    time.Time
	took     time.Duration
	ended    bool
	runs     int
	digest   xxhash.Digest        // of the runs' digests, in order
	kinds    []*kindTally         // by number of known
	armed    [trace.NumOps]uint64 // events of traces that are faults
	struck   [trace.NumOps]uint64 // how often they had an effect
	features map[uint32]bool
	edges    int // taken so far
	curve    []sample
}

// NewTally returns a Tally, by the numbers that known has for kinds.
func NewTally(known *search.Known) *Tally {
	return &Tally{known: known, began: time.Now(), features: make(map[uint32]bool)}
}

// Notes are what a Tally counts of one run. They are written down while the run is made, as
// another goroutine may make it.
type Notes struct {
	w      *sim.World
	traces []trace.Trace // of the run, and of its variants
	all    []note
	sum    uint64
}

// note is one observation.
type note struct {
	what     sim.What
	op       trace.Op
	from, to reactor.State
	cause    reactor.Event
	stage    sim.Stage
	spurious bool // the run has spurious events: it is no way to anything
	at       int
	kind     reactor.AnyKind // nil: none
	trace    int             // index
}

// Attach makes n observe a world. It forgets what it has observed before.
func (n *Notes) Attach(w *sim.World) {
	n.w, n.traces, n.all, n.sum = w, n.traces[:0], n.all[:0], 0
	w.Attach(n)
}

// Detach ends what Attach began.
func (n *Notes) Detach() {
	n.sum = n.w.Sum()
	n.w.Detach(n)
}

// sample is how many features the search had seen after a run that showed a new one.
type sample struct{ run, edges, features int }

// kindTally counts the events and transitions of a kind's machines.
type kindTally struct {
	kind   reactor.AnyKind
	cover  fsm.Coverage                            // a copy, when the search is over
	told   [fsm.Last + 1][len(causes)]uint64       // events, by state
	moves  map[[2]reactor.State]*moveTally         // transitions, by where from and to
	faults [trace.NumOps][int(fsm.Last) + 1]uint64 // that struck them, by state
}

// moveTally counts a transition.
type moveTally struct {
	by    [len(causes)]uint64
	first int // the run that took it first
	way   way
}

// way is a way to a transition: the shortest trace that was seen to take it, and how far its
// run had to go.
type way struct {
	trace trace.Trace
	stage sim.Stage
}

// String returns the events of a way, one per line, and how far the run then goes on.
func (w way) String() string {
	lines := w.trace.String()
	if end := w.stage.String(); end != "" {
		return lines + "(" + end + ")"
	}
	if lines == "" {
		return "(a run begins)"
	}
	return strings.TrimSuffix(lines, "\n")
}

// cost orders ways: by events first.
func (w way) cost() int { return len(w.trace)*int(sim.StageOver) + int(w.stage) }

// causes are the columns of a table of events.
var causes = [...]reactor.Event{
	reactor.EventEnter, reactor.EventReady, reactor.EventMessage, reactor.EventTimer, reactor.EventDown, reactor.EventSignal,
	reactor.EventWithin, reactor.EventIdle, reactor.EventStall, reactor.EventLife, reactor.EventFail, reactor.EventShutdown,
}

// Wants is part of sim.Observer.
func (n *Notes) Wants() []sim.What {
	return []sim.What{sim.RunBegins, sim.Moved, sim.Told, sim.FaultArmed, sim.FaultStruck}
}

// Observe is part of sim.Observer.
func (n *Notes) Observe(o *sim.Observation) {
	e := note{what: o.What, op: o.Op, from: o.From, to: o.To, stage: o.Stage, at: o.Event, spurious: o.Spurious}
	switch o.What {
	case sim.RunBegins:
		n.traces = append(n.traces, slices.Clone(n.w.Trace()))
	case sim.Moved, sim.Told:
		e.kind, e.cause = o.Machine.Kind, o.Machine.Cause
	case sim.FaultStruck:
		if m := o.Machine; m != nil && m.Kind != nil && m.State <= fsm.Last {
			e.kind, e.from = m.Kind, m.State
		}
	}
	if len(n.all) > 0 && o.What != sim.RunBegins {
		e.spurious = n.all[len(n.all)-1].spurious
	}
	e.trace = len(n.traces) - 1
	n.all = append(n.all, e)
}

// count counts what a run did.
func (t *Tally) count(n *Notes) {
	for i := range n.all {
		switch e := &n.all[i]; e.what {
		case sim.Moved:
			t.moved(e, n.traces[e.trace])
		case sim.Told:
			t.kind(t.known.Index(e.kind)).told[e.from][slices.Index(causes[:], e.cause)]++
		case sim.FaultArmed:
			t.armed[e.op]++
		case sim.FaultStruck:
			t.struck[e.op]++
			if e.kind != nil {
				t.kind(t.known.Index(e.kind)).faults[e.op][e.from]++
			}
		}
	}
}

// kind returns what is counted of a kind.
func (t *Tally) kind(i int) *kindTally {
	for len(t.kinds) <= i {
		t.kinds = append(t.kinds, &kindTally{moves: make(map[[2]reactor.State]*moveTally)})
	}
	return t.kinds[i]
}

// moved counts a transition, and keeps the trace so far if it is the shortest that leads
// there. The start of a machine has no cause.
func (t *Tally) moved(e *note, tr trace.Trace) {
	k, edge := t.kind(t.known.Index(e.kind)), [2]reactor.State{e.from, e.to}
	m := k.moves[edge]
	if m == nil {
		m = &moveTally{first: t.runs + 1}
		k.moves[edge] = m
		t.edges++
	}
	if i := slices.Index(causes[:], e.cause); i >= 0 && e.from != fsm.Any {
		m.by[i]++
	}
	if here := (way{tr[:e.at], e.stage}); !e.spurious && (m.way.trace == nil || here.cost() < m.way.cost()) {
		m.way = way{append(trace.Trace{}, here.trace...), here.stage}
	}
}

// Ran is called after each run of a search, with the features that it showed.
func (t *Tally) Ran(n *Notes, hits []search.Hit) {
	t.count(n)
	t.runs++
	t.digest.Write(binary.LittleEndian.AppendUint64(nil, n.sum))
	for _, h := range hits {
		t.features[h.Feature] = true
	}
	now := sample{t.runs, t.edges, len(t.features)}
	if n := len(t.curve); n == 0 || t.curve[n-1].edges != now.edges || t.curve[n-1].features != now.features {
		t.curve = append(t.curve, now)
	}
}

// End ends the counting: runs that shrink a trace are no part of the search.
func (t *Tally) End() {
	if t.ended {
		return
	}
	t.ended = true
	t.took = time.Since(t.began)
	for i := range t.known.Kinds() {
		k := t.kind(i)
		k.kind, k.cover = t.known.Kind(i)
	}
}

// mostScouting is how many runs looking for shorter ways may take.
const mostScouting = 2000

// shorten looks for shorter ways to the transitions seen, by runs of j. It leaves out one
// event after the other, for as long as the transition is still taken.
func (t *Tally) shorten(j *judge.Judge) {
	scout, notes := NewTally(t.known.SameKinds()), &Notes{}
	runs := 0
	for i, k := range t.kinds {
		for _, at := range slices.SortedFunc(maps.Keys(k.moves), func(a, b [2]reactor.State) int { return slices.Compare(a[:], b[:]) }) {
			best := &k.moves[at].way
			for out := 0; out < len(best.trace) && runs < mostScouting; runs++ {
				notes.Attach(j.World())
				j.Run(slices.Delete(slices.Clone(best.trace), out, out+1))
				notes.Detach()
				scout.count(notes)
				if m := scout.kind(i).moves[at]; m != nil && m.way.cost() < best.cost() {
					*best = m.way
				} else {
					out++
				}
			}
		}
	}
}
