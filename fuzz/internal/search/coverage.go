// Package search makes the traces of a search: drawn at random, changed from those that
// showed something new, enumerated, or read from the bytes of go test -fuzz.
//
// Coverage observes runs and finds their features. A Corpus keeps the traces that showed
// them. A Search makes the next trace.
package search

import (
	"math"
	"math/bits"
	"slices"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor"
)

// Coverage is what runs made machines do, as features: numbers, each of which makes a run
// worth keeping. There are features for
//
//   - a transition, and two in a row of one machine;
//   - a state that a machine is in after an event, with the loops at rest: only from
//     there the next event goes on;
//   - a fault with the state of the machine that it meets, once when an event arms it and
//     once when it happens;
//   - what probes report: that something was seen, and the power of two of a value.
type Coverage struct {
	kinds  []kind
	hits   []Hit    // features of this run, in order of first appearance
	seen   []uint64 // a bit for each feature, of this run
	at     int      // the event under way
	mute   bool     // the run is one more of a trace: it has nothing new
	movers []mover
	claims map[string]*Claim
	peak   Peak
}

// Hit is a feature that a run showed.
type Hit struct {
	Feature uint32
	At      int  // events that had happened; 0 or less: the whole trace
	fine    bool // not by itself: what was before it, or a fault, makes it what it is
}

// kind has the transitions of a kind's machines.
type kind struct {
	kind  reactor.AnyKind
	edges fsm.Coverage
}

// mover is a machine that moved since the loops were at rest.
type mover struct {
	m          *sim.Machine
	generation uint32
	kind       int // its number
}

// Claim is a name that probes used, with what they reported in all runs.
type Claim struct {
	Name      string
	Sometimes bool // it is to be seen in some run
	Seen      bool
	High      int // the highest value; math.MinInt: none

	last    int // value of this run
	ladder  int // index in Corpus.peaks, plus 1
	feature uint32
}

// Peak is the point of a run at which a value was as high as in any run before, or higher.
type Peak struct {
	claim  *Claim // nil: nowhere
	at     int    // the event under way
	higher bool
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
	return &Coverage{seen: make([]uint64, 1<<featureBits/64), claims: make(map[string]*Claim)}
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
		if k.Sometimes = true; o.OK {
			k.Seen = true
			c.hit(k.feature, false)
		}
	case sim.Mark:
		c.mark(c.claim(o.Name), o.N)
	}
}

// begin forgets the features of the last run. The counts of transitions stay.
func (c *Coverage) begin() {
	for _, h := range c.hits {
		c.seen[h.Feature/64] = 0
	}
	c.hits, c.peak, c.movers = c.hits[:0], Peak{}, c.movers[:0]
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
	m := o.Machine
	i := c.Index(m.Kind)
	c.kinds[i].edges.Count(o.From, o.To)
	f := edgeFeature(i, o.From, o.To)
	c.hit(f, false)
	before := uint32(0)
	if m.Moves > 1 {
		before = edgeFeature(i, m.PrevFrom, m.PrevTo)
	}
	c.hit(f*31+before*featurePrime, true)
	c.movers = append(c.movers, mover{m, m.Generation, i})
}

func edgeFeature(kind int, from, to reactor.State) uint32 {
	return uint32(kind+1)<<16 | uint32(from)<<8 | uint32(to)
}

// rest is called after an event, when the loops rest.
func (c *Coverage) rest() {
	for _, at := range c.movers {
		if at.m.Generation == at.generation {
			c.hit(restFeature|uint32(at.kind)<<8|uint32(at.m.State), false)
		}
	}
	c.movers = c.movers[:0]
	if p := &c.peak; p.claim != nil && p.at == c.at {
		p.stands = p.claim.last == p.claim.High
	}
}

// fault counts a fault with the state of the machine that it meets.
func (c *Coverage) fault(o *sim.Observation, how uint32) {
	if m := o.Machine; m != nil && m.Kind != nil {
		c.hit(faultFeature|how|uint32(o.Op)<<20|uint32(c.Index(m.Kind))<<8|uint32(m.State), true)
	}
}

// mark counts a value that a probe reports.
func (c *Coverage) mark(k *Claim, value int) {
	bucket := uint32(bits.Len(uint(max(value, -value))))
	if value < 0 {
		bucket += 64
	}
	c.hit(k.feature+(1+bucket)*featurePrime, false)
	k.last = value
	if p := &c.peak; !c.mute && (value > k.High || value == k.High && p.claim == nil) {
		*p = Peak{claim: k, at: c.at, higher: value > k.High}
		k.High = value
	}
}

func (c *Coverage) claim(name string) *Claim {
	k := c.claims[name]
	if k == nil {
		k = &Claim{Name: name, High: math.MinInt, feature: uint32(len(c.claims)+1) << 24}
		c.claims[name] = k
	}
	return k
}

// Index returns the number of a kind. If Setup builds new kinds in each run, kinds of the
// same name have the same number.
func (c *Coverage) Index(k reactor.AnyKind) int {
	for i := range c.kinds {
		if c.kinds[i].kind == k {
			return i
		}
	}
	for i := range c.kinds {
		if c.kinds[i].kind.Name() == k.Name() {
			c.kinds[i].kind = k
			return i
		}
	}
	c.kinds = append(c.kinds, kind{kind: k})
	return len(c.kinds) - 1
}

// Kinds returns how many kinds there are.
func (c *Coverage) Kinds() int { return len(c.kinds) }

// Kind returns a kind, and the transitions that its machines took.
func (c *Coverage) Kind(i int) (reactor.AnyKind, fsm.Coverage) {
	return c.kinds[i].kind, c.kinds[i].edges
}

// SameKinds returns a Coverage that has seen no run and numbers kinds in the same way as c.
func (c *Coverage) SameKinds() *Coverage {
	other := NewCoverage()
	other.kinds = slices.Clone(c.kinds)
	return other
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

// Missing returns every edge, except those to Stop, that a kind declares and no run took.
func (c *Coverage) Missing() (all []string) {
	for i := range c.kinds {
		k := &c.kinds[i]
		for from := fsm.First; from <= fsm.Last; from++ {
			for to := fsm.First; to <= fsm.Last; to++ {
				if from != to && k.kind.Declares(from, to) && k.edges.Taken(from, to) == 0 {
					all = append(all, k.kind.Name()+": "+k.kind.StateName(from)+" → "+k.kind.StateName(to))
				}
			}
		}
	}
	return all
}

// Claims returns what probes reported, by name. It includes the names in sometimes, even if
// no run reached them.
func (c *Coverage) Claims(sometimes []string) (all []*Claim) {
	for _, name := range sometimes {
		c.claim(name).Sometimes = true
	}
	for _, k := range c.claims {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *Claim) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// Unseen returns the names of conditions that were true in no run and must be in some.
func (c *Coverage) Unseen(sometimes []string) (names []string) {
	for _, k := range c.Claims(sometimes) {
		if k.Sometimes && !k.Seen {
			names = append(names, k.Name)
		}
	}
	return names
}
