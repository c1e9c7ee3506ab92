package fuzz

import (
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// tally is what a report tells, counted while a search goes on. A world that nobody
// wants a report of has none, and its loops have no witness.
type tally struct {
	began    time.Time
	took     time.Duration
	runs     int
	digest   xxhash.Digest        // of the runs' digests, in order
	kinds    []*kindTally         // by coverage's index
	armed    [trace.NumOps]uint64 // events of traces that are faults
	struck   [trace.NumOps]uint64 // how often they did something
	features map[uint32]bool
	edges    int // taken so far
	curve    []sample
}

func newTally() *tally { return &tally{began: time.Now(), features: make(map[uint32]bool)} }

// sample is how far the search was after a run that showed something new.
type sample struct{ run, edges, features int }

// kindTally is what a kind's machines were given and did.
type kindTally struct {
	cover  fsm.Coverage                            // a copy, when the search is over
	told   [fsm.Last + 1][len(causes)]uint64       // events, by state
	moves  map[[2]reactor.State]*moveTally         // transitions, by where from and to
	faults [trace.NumOps][int(fsm.Last) + 1]uint64 // that struck them, by state
}

// moveTally is what is known of a transition.
type moveTally struct {
	by    [len(causes)]uint64
	first int // the run that took it first
	way   way
}

// way is how a transition can be seen: the shortest trace that was, and how far its
// run had to go.
type way struct {
	trace trace.Trace
	stage stage
}

// causes are the columns of a table of events.
var causes = [...]reactor.Cause{
	reactor.CauseEnter, reactor.CauseReady, reactor.CauseMessage, reactor.CauseTimer, reactor.CauseDown, reactor.CauseSignal,
	reactor.CauseWithin, reactor.CauseIdle, reactor.CauseStall, reactor.CauseLife, reactor.CauseFail, reactor.CauseShutdown,
}

// unseen are the causes that a journal tells of even if they lead nowhere: nothing
// else shows them.
var unseen = []reactor.Cause{reactor.CauseMessage, reactor.CauseTimer, reactor.CauseDown, reactor.CauseSignal}

// witness is a driver whose loop tells it of events as well.
type witness struct{ *driver }

// observer is who is told what machines do: of events only if somebody asks. Models do,
// which are to know why a machine ended, and X does, if messages end a silence.
func (d *driver) observer() reactor.Observer {
	if !d.w.heeds {
		return d
	}
	return witness{d}
}

// Told is told what happens to a machine.
func (d witness) Told(t reactor.Token, k reactor.AnyKind, in reactor.State, c reactor.Cause) {
	m := d.at(t.Generation(), t.Index())
	m.cause = c
	switch c {
	case reactor.CauseReady, reactor.CauseEnter:
	case reactor.CauseFail:
		m.fails, m.failed = m.fails+1, in
	default:
		m.told = true
	}
	if c == reactor.CauseMessage {
		m.bounded.heard = d.w.now
	}
	if d.w.journal != nil && slices.Contains(unseen, c) {
		d.w.tell(line{conn: int(m.conn) - 1, text: string(c), move: k.Name() + ": " + k.StateName(in)})
	}
	if d.w.tally != nil {
		d.w.tally.kind(d.w.cover.index(k)).told[in][slices.Index(causes[:], c)]++
	}
}

// kind is what is counted of a kind.
func (t *tally) kind(i int) *kindTally {
	for len(t.kinds) <= i {
		t.kinds = append(t.kinds, &kindTally{moves: make(map[[2]reactor.State]*moveTally)})
	}
	return t.kinds[i]
}

// moved counts a transition, and keeps the trace so far if none that leads there is
// shorter. Births are nobody's event.
func (t *tally) moved(w *World, kind int, from, to reactor.State, by reactor.Cause) {
	k := t.kind(kind)
	m := k.moves[[2]reactor.State{from, to}]
	if m == nil {
		m = &moveTally{first: t.runs + 1}
		k.moves[[2]reactor.State{from, to}] = m
		t.edges++
	}
	if i := slices.Index(causes[:], by); i >= 0 && from != fsm.Any {
		m.by[i]++
	}
	if here := (way{w.trace[:w.at], w.stage}); !w.haunted && (m.way.trace == nil || here.cost() < m.way.cost()) {
		m.way = way{append(trace.Trace{}, here.trace...), here.stage}
	}
}

// cost orders ways: by events first.
func (w way) cost() int { return len(w.trace)*int(stageOver) + int(w.stage) }

// injected counts an event of a trace that is a fault.
func (t *tally) injected(e trace.Event) {
	if op := e.Op % trace.NumOps; op.IsFault() {
		t.armed[op]++
	}
}

// strikes counts a fault that does something, now, and not what an event armed: to a
// socket, by the state of its machine, or, without one, to a loop.
func (w *World) strikes(op trace.Op, s *sock) {
	t := w.tally
	if t == nil {
		return
	}
	t.struck[op]++
	if s == nil {
		return
	}
	if m := s.machine(); m != nil && m.kind != nil && m.state <= fsm.Last {
		t.kind(w.cover.index(m.kind)).faults[op][m.state]++
	}
}

// ran follows each run of a search.
func (t *tally) ran(w *World, failure *Failure) {
	if t == nil {
		return
	}
	t.runs++
	sum := w.sum()
	t.digest.Write([]byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24), byte(sum >> 32), byte(sum >> 40), byte(sum >> 48), byte(sum >> 56)})
	for _, f := range w.cover.hits {
		t.features[f.feature] = true
	}
	now := sample{t.runs, t.edges, len(t.features)}
	if n := len(t.curve); n == 0 || t.curve[n-1].edges != now.edges || t.curve[n-1].features != now.features {
		t.curve = append(t.curve, now)
	}
	if failure != nil {
		t.end(w) // what shrinks the trace is no part of the search
	}
}

// end ends the counting.
func (t *tally) end(w *World) {
	if w.tally != t {
		return
	}
	w.tally = nil
	t.took = time.Since(t.began)
	for i := range w.cover.kinds {
		t.kind(i).cover = w.cover.kinds[i].edges
	}
}

// mostScouting is how many runs looking for shorter ways may take.
const mostScouting = 2000

// shorten looks for shorter ways to the transitions seen: it leaves out one event
// after the other, for as long as the transition is still taken.
func (t *tally) shorten(w *World) {
	scout := newWorld(w.spec)
	scout.cover.kinds = slices.Clone(w.cover.kinds) // its numbers of kinds are t's
	runs := 0
	for i, k := range t.kinds {
		for _, at := range slices.SortedFunc(maps.Keys(k.moves), func(a, b [2]reactor.State) int { return slices.Compare(a[:], b[:]) }) {
			best := &k.moves[at].way
			for out := 0; out < len(best.trace) && runs < mostScouting; runs++ {
				scout.run(slices.Delete(slices.Clone(best.trace), out, out+1))
				if m := scout.tally.kind(i).moves[at]; m != nil && m.way.cost() < best.cost() {
					*best = m.way
				} else {
					out++
				}
			}
		}
	}
}
