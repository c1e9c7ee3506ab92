package search

import (
	"math/rand/v2"

	"github.com/stator-go/stator/fuzz/trace"
)

// Corpus is what a guided search has kept: for each feature, and for the highest values that
// probes reported, some traces that show it.
//
// A trace to change is chosen by energy: the feature that was seen or picked least often is
// picked first. So a new feature gets many tries at once, until it was tried as often as the
// others, and a common one gets few. (AFLFast and Entropic do this with the frequencies of
// paths and features.) Features of faults are many, and rarely lead to something new: they
// get half of the picks, however many they are.
type Corpus struct {
	*rand.Rand
	known  map[uint32]*kept // by feature
	all    []*kept
	coarse []*kept   // those of no fine feature
	peaks  [][]*kept // by Claim.ladder: of the highest values, the highest is the last
}

// kept is what a search knows about a feature.
type kept struct {
	traces []trace.Trace // that show it: the shortest, and others
	tries  int           // runs that showed it, and picks
	stands bool          // of a peak: see Peak
}

// Peak is the point of a run at which a value was as high as in any run before, or higher.
type Peak struct {
	claim  *Claim // nil: nowhere
	at     int    // the event under way
	higher bool
	stands bool // the value is still as high when the event is over
}

const (
	keptTraces = 5  // of a feature: the shortest may lead nowhere, as its connection is over
	keptPeaks  = 4  // values of a probe: so may all that show the highest
	contenders = 64 // features of which the least known is picked
)

// NewCorpus returns an empty Corpus.
func NewCorpus(r *rand.Rand) *Corpus {
	return &Corpus{Rand: r, known: make(map[uint32]*kept)}
}

// Keep keeps a trace for each feature that its run showed.
func (c *Corpus) Keep(tr trace.Trace, hits []Hit, p Peak) {
	for _, h := range hits {
		k := c.known[h.Feature]
		if k == nil {
			k = &kept{}
			c.known[h.Feature] = k
			c.all = append(c.all, k)
			if !h.fine {
				c.coarse = append(c.coarse, k)
			}
		}
		k.tries++
		c.add(k, until(tr, h.At))
	}
	if p.claim != nil {
		c.climb(until(tr, p.at), p)
	}
}

// climb keeps a trace that brought a value as high as any before, or higher.
func (c *Corpus) climb(tr trace.Trace, p Peak) {
	if p.claim.ladder == 0 {
		c.peaks = append(c.peaks, nil)
		p.claim.ladder = len(c.peaks)
	}
	ladder := &c.peaks[p.claim.ladder-1]
	if p.higher {
		if len(*ladder) == keptPeaks {
			*ladder = (*ladder)[:copy(*ladder, (*ladder)[1:])]
		}
		*ladder = append(*ladder, &kept{stands: p.stands})
	}
	top := &(*ladder)[len(*ladder)-1]
	if p.stands && !(*top).stands {
		*top = &kept{stands: true}
	}
	if p.stands == (*top).stands {
		(*top).tries++
		c.add(*top, tr)
	}
}

// add adds a trace that shows a feature. Of two traces of the same length it keeps the newer
// one: from the other, nothing new may be reachable. Longer traces are kept less often the
// more there were, and never if they are far longer.
func (c *Corpus) add(k *kept, tr trace.Trace) {
	switch {
	case len(k.traces) == 0:
		k.traces = append(k.traces, tr)
	case len(tr) <= len(k.traces[0]):
		k.traces[0] = tr
	case len(tr) > 2*len(k.traces[0])+8:
	case len(k.traces) < keptTraces:
		k.traces = append(k.traces, tr)
	case c.IntN(k.tries) < keptTraces:
		k.traces[1+c.IntN(keptTraces-1)] = tr
	}
}

// until returns a trace up to the event that showed something, or the whole trace if the end
// of the run did.
func until(tr trace.Trace, at int) trace.Trace {
	if at > 0 {
		return tr[:at]
	}
	return tr
}

// pick returns a trace to change: one that brought a value high, or one for the least known
// of some features.
func (c *Corpus) pick() trace.Trace {
	if len(c.peaks) > 0 && c.IntN(3) == 0 {
		ladder := c.peaks[c.IntN(len(c.peaks))]
		at := len(ladder) - 1
		for at > 0 && c.IntN(4) == 0 {
			at--
		}
		return c.of(ladder[at])
	}
	from := c.all
	if len(c.coarse) > 0 && c.IntN(2) == 0 {
		from = c.coarse
	}
	at := c.IntN(len(from))
	best := from[at]
	for i := range min(contenders, len(from)) {
		if k := from[(at+i)%len(from)]; k.tries < best.tries {
			best = k
		}
	}
	best.tries++
	return c.of(best)
}

// of returns a trace of a feature: the shortest, half of the time.
func (c *Corpus) of(k *kept) trace.Trace {
	if c.IntN(2) == 0 {
		return k.traces[0]
	}
	return k.traces[c.IntN(len(k.traces))]
}

// Size returns how many features the corpus has traces for.
func (c *Corpus) Size() int { return len(c.all) }
