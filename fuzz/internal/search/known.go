package search

import (
	"math"
	"slices"
	"strings"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Known is what runs have shown in all: the transitions that machines took, and what probes
// reported.
type Known struct {
	kinds  []knownKind
	claims map[string]*Claim
}

type knownKind struct {
	kind  reactor.AnyKind
	edges fsm.Coverage
}

// Claim is a name that probes used, with what they reported in all runs.
type Claim struct {
	Name      string
	Sometimes bool // it is to be seen in some run
	Seen      bool
	High      int // the highest value; math.MinInt: none

	ladder int // index in Corpus.peaks, plus 1
}

// NewKnown returns a Known of no run.
func NewKnown() *Known { return &Known{claims: make(map[string]*Claim)} }

// Add adds a run, and returns where a value was as high as in any run added before.
func (k *Known) Add(s *Shown) (p Peak) {
	for _, e := range s.edges {
		edges := &k.kinds[k.Index(e.kind)].edges
		for range e.n {
			edges.Count(e.from, e.to)
		}
	}
	if top := s.summit; top.said != nil {
		if c := k.claim(top.said.name); top.value >= c.High {
			p = Peak{claim: c, at: top.at, higher: top.value > c.High, stands: top.stands}
		}
	}
	for i := range s.said {
		said := &s.said[i]
		c := k.claim(said.name)
		c.Sometimes, c.Seen, c.High = c.Sometimes || said.sometimes, c.Seen || said.seen, max(c.High, said.high)
	}
	return p
}

// Tell sets the values that later runs of a Coverage must reach to be as high as any.
func (k *Known) Tell(c *Coverage) {
	for name, claim := range k.claims {
		c.named(name).known = claim.High
	}
}

func (k *Known) claim(name string) *Claim {
	c := k.claims[name]
	if c == nil {
		c = &Claim{Name: name, High: math.MinInt}
		k.claims[name] = c
	}
	return c
}

// Index returns the number of a kind. If Setup builds new kinds in each run, kinds of the
// same name have the same number.
func (k *Known) Index(kind reactor.AnyKind) int {
	for i := range k.kinds {
		if k.kinds[i].kind == kind {
			return i
		}
	}
	for i := range k.kinds {
		if k.kinds[i].kind.Name() == kind.Name() {
			k.kinds[i].kind = kind
			return i
		}
	}
	k.kinds = append(k.kinds, knownKind{kind: kind})
	return len(k.kinds) - 1
}

// Kinds returns how many kinds there are.
func (k *Known) Kinds() int { return len(k.kinds) }

// Kind returns a kind, and the transitions that its machines took.
func (k *Known) Kind(i int) (reactor.AnyKind, fsm.Coverage) {
	return k.kinds[i].kind, k.kinds[i].edges
}

// SameKinds returns a Known of no run that numbers kinds in the same way as k.
func (k *Known) SameKinds() *Known {
	other := NewKnown()
	other.kinds = slices.Clone(k.kinds)
	return other
}

// Missing returns every edge, except those to Stop, that a kind declares and no run took.
func (k *Known) Missing() (all []string) {
	for i := range k.kinds {
		k := &k.kinds[i]
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
func (k *Known) Claims(sometimes []string) (all []*Claim) {
	for _, name := range sometimes {
		k.claim(name).Sometimes = true
	}
	for _, c := range k.claims {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Claim) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Unseen returns the names of conditions that were true in no run and must be in some.
func (k *Known) Unseen(sometimes []string) (names []string) {
	for _, c := range k.Claims(sometimes) {
		if c.Sometimes && !c.Seen {
			names = append(names, c.Name)
		}
	}
	return names
}
