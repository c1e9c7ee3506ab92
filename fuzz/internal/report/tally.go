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

// Tally counts what runs do, for a Report. It observes all runs of a search, including the
// further runs of checks that compare.
type Tally struct {
	w        *sim.World
	cover    *search.Coverage
	began    time.Time
	took     time.Duration
	ended    bool
	spurious bool // the run has spurious events: it is no way to anything
	runs     int
	digest   xxhash.Digest        // of the runs' digests, in order
	kinds    []*kindTally         // by number of Coverage
	armed    [trace.NumOps]uint64 // events of traces that are faults
	struck   [trace.NumOps]uint64 // how often they had an effect
	features map[uint32]bool
	edges    int // taken so far
	curve    []sample
}

// NewTally returns a Tally that observes a world, by the numbers that cover has for kinds.
func NewTally(w *sim.World, cover *search.Coverage) *Tally {
	t := &Tally{w: w, cover: cover, began: time.Now(), features: make(map[uint32]bool)}
	w.Attach(t)
	return t
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
func (t *Tally) Wants() []sim.What {
	return []sim.What{sim.RunBegins, sim.Moved, sim.Told, sim.FaultArmed, sim.FaultStruck}
}

// Observe is part of sim.Observer.
func (t *Tally) Observe(o *sim.Observation) {
	switch o.What {
	case sim.RunBegins:
		t.spurious = o.Spurious
	case sim.Moved:
		t.moved(o)
	case sim.Told:
		t.kind(t.cover.Index(o.Machine.Kind)).told[o.From][slices.Index(causes[:], o.Machine.Cause)]++
	case sim.FaultArmed:
		t.armed[o.Op]++
	case sim.FaultStruck:
		t.struck[o.Op]++
		if m := o.Machine; m != nil && m.Kind != nil && m.State <= fsm.Last {
			t.kind(t.cover.Index(m.Kind)).faults[o.Op][m.State]++
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
func (t *Tally) moved(o *sim.Observation) {
	k, edge := t.kind(t.cover.Index(o.Machine.Kind)), [2]reactor.State{o.From, o.To}
	m := k.moves[edge]
	if m == nil {
		m = &moveTally{first: t.runs + 1}
		k.moves[edge] = m
		t.edges++
	}
	if i := slices.Index(causes[:], o.Machine.Cause); i >= 0 && o.From != fsm.Any {
		m.by[i]++
	}
	if here := (way{t.w.Trace()[:o.Event], o.Stage}); !t.spurious && (m.way.trace == nil || here.cost() < m.way.cost()) {
		m.way = way{append(trace.Trace{}, here.trace...), here.stage}
	}
}

// Ran is called after each run of a search with the run's failure, or nil.
func (t *Tally) Ran(failure *judge.Failure) {
	if t == nil {
		return
	}
	t.runs++
	t.digest.Write(binary.LittleEndian.AppendUint64(nil, t.w.Sum()))
	for _, h := range t.cover.Hits() {
		t.features[h.Feature] = true
	}
	now := sample{t.runs, t.edges, len(t.features)}
	if n := len(t.curve); n == 0 || t.curve[n-1].edges != now.edges || t.curve[n-1].features != now.features {
		t.curve = append(t.curve, now)
	}
	if failure != nil {
		t.end() // runs that shrink the trace are no part of the search
	}
}

// end ends the counting.
func (t *Tally) end() {
	if t.ended {
		return
	}
	t.ended = true
	t.w.Detach(t)
	t.took = time.Since(t.began)
	for i := range t.cover.Kinds() {
		k := t.kind(i)
		k.kind, k.cover = t.cover.Kind(i)
	}
}

// mostScouting is how many runs looking for shorter ways may take.
const mostScouting = 2000

// shorten looks for shorter ways to the transitions seen, by runs of j. It leaves out one
// event after the other, for as long as the transition is still taken.
func (t *Tally) shorten(j *judge.Judge) {
	cover := t.cover.SameKinds()
	j.World().Attach(cover)
	scout := NewTally(j.World(), cover)
	runs := 0
	for i, k := range t.kinds {
		for _, at := range slices.SortedFunc(maps.Keys(k.moves), func(a, b [2]reactor.State) int { return slices.Compare(a[:], b[:]) }) {
			best := &k.moves[at].way
			for out := 0; out < len(best.trace) && runs < mostScouting; runs++ {
				j.Run(slices.Delete(slices.Clone(best.trace), out, out+1))
				if m := scout.kind(i).moves[at]; m != nil && m.way.cost() < best.cost() {
					*best = m.way
				} else {
					out++
				}
			}
		}
	}
}
