package fuzz

import (
	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// coverage is what a run made machines do: their transitions, and which two
// followed each other in one machine.
type coverage struct {
	kinds []kindCoverage
	hits  []hit    // features of this run, in order of first appearance
	seen  []uint64 // a bit a feature, of this run
	at    int      // the event under way
}

// hit is a feature, and how many events had happened.
type hit struct {
	feature uint32
	at      int
	fine    bool // not by itself: what was before, or a fault, makes it what it is
}

type kindCoverage struct {
	kind  reactor.AnyKind
	edges fsm.Coverage
}

const (
	featureBits  = 16
	featurePrime = 2654435761
)

func newCoverage() *coverage { return &coverage{seen: make([]uint64, 1<<featureBits/64)} }

// begin forgets the features of the last run; the counts of transitions stay.
func (c *coverage) begin() {
	for _, h := range c.hits {
		c.seen[h.feature/64] = 0
	}
	c.hits, c.at = c.hits[:0], 0
}

// again makes the features of a run those of this one: others ran since.
func (c *coverage) again(hits []hit) {
	c.begin()
	for _, h := range hits {
		c.seen[h.feature/64] |= 1 << (h.feature % 64)
	}
	c.hits = append(c.hits, hits...)
}

// edge counts a transition behind another one, and answers it as a feature.
func (c *coverage) edge(k reactor.AnyKind, from, to reactor.State, before uint32) uint32 {
	i := c.index(k)
	c.kinds[i].edges.Count(from, to)
	f := uint32(i+1)<<16 | uint32(from)<<8 | uint32(to)
	c.add(f)
	c.addFine(f*31 + before*featurePrime)
	return f
}

// index is a kind's place. A Setup that builds its kinds anew in each run has others
// of the same names.
func (c *coverage) index(k reactor.AnyKind) int {
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
	c.kinds = append(c.kinds, kindCoverage{kind: k})
	return len(c.kinds) - 1
}

func (c *coverage) add(feature uint32)     { c.hit(feature, false) }
func (c *coverage) addFine(feature uint32) { c.hit(feature, true) }

func (c *coverage) hit(feature uint32, fine bool) {
	f := feature * featurePrime >> (32 - featureBits)
	if c.seen[f/64]>>(f%64)&1 == 0 {
		c.seen[f/64] |= 1 << (f % 64)
		c.hits = append(c.hits, hit{f, c.at, fine})
	}
}

// missing is every edge that a kind declares, with what leads there, and no run took.
func (c *coverage) missing() (all []string) {
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
