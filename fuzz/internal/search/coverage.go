// Package search makes the traces of a search: drawn at random, changed from those that
// showed something new, enumerated, or read from the bytes of go test -fuzz.
//
// Coverage observes a run and finds its features. Known adds up what runs have shown, a
// Corpus keeps the traces that showed it, and a Search plans the next traces. Several worlds
// may make the runs, each with a Coverage and a Maker of its own: what they find is added in
// the order of the runs' numbers.
package search

import (
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor"
)

// Coverage is what a run made machines do, as features: numbers, each of which makes a run
// worth keeping. There are features for
//
//   - a transition, and two in a row of one machine;
//   - a state that a machine is in after an event, with the loops at rest: only from
//     there the next event goes on;
//   - a fault with the state of the machine that it meets, once when an event arms it and
//     once when it happens;
//   - what probes report: that something was seen, and the power of two of a value.
//
// Features are made of names, not of the order in which something was first seen. So all
// worlds have the same features.
type Coverage struct {
	kinds  []*kind
	hits   []Hit    // features of this run, in order of first appearance
	seen   []uint64 // a bit for each feature, of this run
	at     int      // the event under way
	mute   bool     // the run is one more of a trace: it has nothing new
	movers []mover
	claims map[string]*said
	spoken []*said // those of this run
	summit summit
}

// Hit is a feature that a run showed.
type Hit struct {
	Feature uint32
	At      int  // events that had happened; 0 or less: the whole trace
	fine    bool // not by itself: what was before it, or a fault, makes it what it is
}

// kind has the transitions that a kind's machines took in this run.
type kind struct {
	kind  reactor.AnyKind
	id    uint32
	taken [fsm.Last + 1][fsm.Last + 2]uint32 // from, to; the last one is Stop
	edges []edge                             // of those that are not 0, in order of first appearance
}

type edge struct{ from, to reactor.State }

// count returns the counter of an edge, or nil if it is no transition.
func (k *kind) count(e edge) *uint32 {
	switch {
	case e.from > fsm.Last:
		return nil
	case e.to == fsm.Stop:
		return &k.taken[e.from][fsm.Last+1]
	case e.to > fsm.Last:
		return nil
	}
	return &k.taken[e.from][e.to]
}

// mover is a machine that moved since the loops were at rest.
type mover struct {
	m          *sim.Machine
	generation uint32
	kind       *kind
}

// said is what a probe reported in this run under one name.
type said struct {
	name            string
	id              uint32
	spoken          bool
	sometimes, seen bool
	high, last      int
	known           int // the highest value of earlier runs
}

// summit is the point of a run at which a value was as high as in any run before, or higher.
type summit struct {
	said   *said // nil: there is none
	value  int
	at     int  // the event under way
	stands bool // the value is still as high when the event is over
}

// beyond is the position of features that the end of a run shows.
const beyond = -1

const (
	featureBits  = 16
	featurePrime = 2654435761

	restFeature  = 1 << 29
	faultHappens = 1 << 30
	faultFeature = 1 << 31
)

// NewCoverage returns a Coverage that has seen no run.
func NewCoverage() *Coverage {
	return &Coverage{seen: make([]uint64, 1<<featureBits/64), claims: make(map[string]*said)}
}

// Wants is part of sim.Observer.
func (c *Coverage) Wants() []sim.What {
	return []sim.What{sim.RunBegins, sim.EventOver, sim.Moved, sim.FaultArmed, sim.FaultMet, sim.Sometimes, sim.Mark}
}

// Observe is part of sim.Observer.
func (c *Coverage) Observe(o *sim.Observation) {
	if c.at = o.Event; o.Stage != sim.StageEvents {
		c.at = beyond
	}
	switch o.What {
	case sim.RunBegins:
		if c.mute = o.Again; !c.mute {
			c.begin()
		}
	case sim.EventOver:
		c.rest()
	case sim.Moved:
		c.moved(o)
	case sim.FaultArmed:
		c.fault(o, 0)
	case sim.FaultMet:
		c.fault(o, faultHappens)
	case sim.Sometimes:
		k := c.claim(o.Name)
		if k.sometimes = true; o.OK {
			k.seen = true
			c.hit(k.id, false)
		}
	case sim.Mark:
		c.mark(c.claim(o.Name), o.N)
	}
}

// begin forgets what the last run showed.
func (c *Coverage) begin() {
	for _, h := range c.hits {
		c.seen[h.Feature/64] = 0
	}
	for _, k := range c.kinds {
		for _, e := range k.edges {
			*k.count(e) = 0
		}
		k.edges = k.edges[:0]
	}
	for _, k := range c.spoken {
		*k = said{name: k.name, id: k.id, high: math.MinInt, known: k.known}
	}
	c.hits, c.summit, c.movers, c.spoken = c.hits[:0], summit{}, c.movers[:0], c.spoken[:0]
}

func (c *Coverage) hit(feature uint32, fine bool) {
	if c.mute {
		return
	}
	f := feature * featurePrime >> (32 - featureBits)
	if c.seen[f/64]>>(f%64)&1 == 0 {
		c.seen[f/64] |= 1 << (f % 64)
		c.hits = append(c.hits, Hit{f, c.at, fine})
	}
}

// moved counts a transition, by itself and together with the one before.
func (c *Coverage) moved(o *sim.Observation) {
	m, e := o.Machine, edge{o.From, o.To}
	k := c.of(m.Kind)
	if n := k.count(e); n != nil {
		if *n == 0 {
			k.edges = append(k.edges, e)
		}
		*n++
	}
	f := k.feature(o.From, o.To)
	c.hit(f, false)
	before := uint32(0)
	if m.Moves > 1 {
		before = k.feature(m.PrevFrom, m.PrevTo)
	}
	c.hit(f*31+before*featurePrime, true)
	c.movers = append(c.movers, mover{m, m.Generation, k})
}

// feature returns the feature of a transition, not yet hashed.
func (k *kind) feature(from, to reactor.State) uint32 {
	return k.id + 1<<16 + uint32(from)<<8 + uint32(to)
}

// rest is called after an event, when the loops rest.
func (c *Coverage) rest() {
	for _, at := range c.movers {
		if at.m.Generation == at.generation {
			c.hit(restFeature+at.kind.id+uint32(at.m.State), false)
		}
	}
	c.movers = c.movers[:0]
	if p := &c.summit; p.said != nil && p.at == c.at {
		p.stands = p.said.last == p.value
	}
}

// fault counts a fault with the state of the machine that it meets.
func (c *Coverage) fault(o *sim.Observation, how uint32) {
	if m := o.Machine; m != nil && m.Kind != nil {
		c.hit(faultFeature+how+uint32(o.Op)<<20+c.of(m.Kind).id+uint32(m.State), true)
	}
}

// mark counts a value that a probe reports.
func (c *Coverage) mark(k *said, value int) {
	bucket := uint32(bits.Len(uint(max(value, -value))))
	if value < 0 {
		bucket += 64
	}
	c.hit(k.id+(1+bucket)*featurePrime, false)
	if k.last = value; c.mute {
		return
	}
	if p := &c.summit; value > max(k.known, k.high) || value == k.known && p.said == nil {
		*p = summit{said: k, value: value, at: c.at}
	}
	k.high = max(k.high, value)
}

// claim returns what is said under a name, as part of this run.
func (c *Coverage) claim(name string) *said {
	k := c.named(name)
	if !k.spoken {
		k.spoken = true
		c.spoken = append(c.spoken, k)
	}
	return k
}

func (c *Coverage) named(name string) *said {
	k := c.claims[name]
	if k == nil {
		k = &said{name: name, id: uint32(xxhash.Sum64String(name)), high: math.MinInt, known: math.MinInt}
		c.claims[name] = k
	}
	return k
}

// of returns what is counted of a kind. If Setup builds new kinds in each run, kinds of the
// same name count as one.
func (c *Coverage) of(k reactor.AnyKind) *kind {
	for _, known := range c.kinds {
		if known.kind == k {
			return known
		}
	}
	for _, known := range c.kinds {
		if known.kind.Name() == k.Name() {
			known.kind = k
			return known
		}
	}
	c.kinds = append(c.kinds, &kind{kind: k, id: uint32(xxhash.Sum64String(k.Name()))})
	return c.kinds[len(c.kinds)-1]
}

// Shown is what one run showed, kept until it is added to what is Known.
type Shown struct {
	Hits   []Hit
	edges  []taken
	said   []said
	summit summit
}

// taken is how often machines of a kind took an edge.
type taken struct {
	kind reactor.AnyKind
	edge
	n uint32
}

// Copy sets s to what the last run showed.
func (c *Coverage) Copy(s *Shown) {
	s.Hits, s.edges, s.said, s.summit = append(s.Hits[:0], c.hits...), s.edges[:0], s.said[:0], c.summit
	for _, k := range c.kinds {
		for _, e := range k.edges {
			s.edges = append(s.edges, taken{k.kind, e, *k.count(e)})
		}
	}
	for _, k := range c.spoken {
		s.said = append(s.said, *k)
	}
}

// Hits returns the features of the last run.
func (c *Coverage) Hits() []Hit { return c.hits }

// EachCoarse yields the coarse features of a run. The others are too many for go test -fuzz.
func (c *Coverage) EachCoarse(yield func(feature uint32)) {
	for _, h := range c.hits {
		if !h.fine {
			yield(h.Feature)
		}
	}
}
