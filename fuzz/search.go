package fuzz

import (
	"time"
)

// Budget bounds a search: by runs, by time, or by both. The zero Budget is 1,000 guided
// runs; an exhaustive search needs no bound.
type Budget struct {
	Runs     int
	Time     time.Duration
	Strategy Strategy
}

// Long is how many runs make a search so long that what it never saw is a failure.
const Long = 10_000

// Finding is what a search came to.
type Finding struct {
	Failure *Failure // nil: none
	Trace   Trace    // the shortest one found that fails
	Seed    uint64
	Runs    int
	Events  int      // of traces
	Corpus  int      // things that runs showed, with a trace for each
	Done    bool     // there is no other trace, see Exhaustive
	Missing []string // edges that tables declare and no machine took
	Unseen  []string // what should be seen sometimes (see package probe), and was not
	Report  *Report  // what else is known of the search, if Spec.Report asked for it

	Undecided int // runs of which Linear does not know

	w *World // that ran it last
}

// search makes runs until one fails or the budget is spent. The same seed and
// number of runs give the same finding.
type search struct {
	w      *World
	how    Strategy
	dice   *dice
	count  *counter // of an exhaustive search
	corpus []*kept
	known  map[uint32]*kept // by feature
	peaks  []*kept          // by claim.peak: those that brought a value highest
	events int
}

// kept is what a search knows of a feature.
type kept struct {
	trace  Trace // that shows it
	runs   int   // that did
	stands bool  // the value is as high yet when the event is over
}

// Find looks for a trace that fails, and shrinks it. See Strategy for where traces
// come from. A guided search keeps those in which machines took a transition, or two
// in a row, that none took before; in which a fault met a state; or of which a probe
// told something new.
func Find(spec Spec, seed uint64, b Budget) *Finding {
	w := newWorld(spec.filled())
	count := w.tally
	s := &search{w: w, how: b.Strategy, dice: newDice(w.spec, seed, b.Strategy), known: make(map[uint32]*kept)}
	if b.Strategy > exhaustive {
		s.count = newCounter(s.w, int(b.Strategy-exhaustive))
	} else if b.Runs == 0 && b.Time == 0 {
		b.Runs = 1000
	}
	begin := time.Now()
	found := &Finding{Seed: seed}
	for n := 0; b.Runs == 0 || n < b.Runs; n++ {
		if b.Time > 0 && n%16 == 0 && time.Since(begin) > b.Time {
			break
		}
		tr, ok := s.next()
		if !ok {
			found.Done = true
			break
		}
		s.events += len(tr)
		found.Runs++
		f := s.w.check(tr, n%8 == 0)
		if count.ran(s.w, f); f != nil {
			found.Trace, found.Failure = s.w.shrink(tr, f)
			found.w = s.w
			break
		}
		s.keep(tr)
	}
	found.Undecided = s.w.undecided
	found.Events, found.Corpus, found.Missing, found.Unseen = s.events, len(s.corpus), s.w.cover.missing(), s.w.unseen()
	found.Report = count.report(s.w, found, b)
	return found
}

func (s *search) next() (Trace, bool) {
	switch {
	case s.count != nil:
		return s.count.next()
	case s.how != Guided || len(s.corpus) == 0 || s.dice.IntN(2) == 0:
		return s.dice.trace(), true
	}
	return s.dice.mutate(s.pick(), s.pick()), true
}

// pick takes a trace to change: one that brought a value highest, or that of the
// rarest of some features.
func (s *search) pick() Trace {
	if len(s.peaks) > 0 && s.dice.IntN(3) == 0 {
		return s.peaks[s.dice.IntN(len(s.peaks))].trace
	}
	best := s.corpus[s.dice.IntN(len(s.corpus))]
	for range 3 {
		if k := s.corpus[s.dice.IntN(len(s.corpus))]; k.runs < best.runs {
			best = k
		}
	}
	return best.trace
}

// keep keeps for each feature a trace that showed it.
func (s *search) keep(tr Trace) {
	for _, h := range s.w.cover.hits {
		k := s.known[h.feature]
		if k == nil {
			k = &kept{}
			s.known[h.feature] = k
			s.corpus = append(s.corpus, k)
		}
		k.runs++
		k.take(tr, h.at)
	}
	if p := s.w.peak; p.claim != nil {
		s.climb(tr, p)
	}
}

// climb keeps a trace that brought a value as high as any before, or higher.
func (s *search) climb(tr Trace, p peak) {
	if p.claim.peak == 0 {
		s.peaks = append(s.peaks, nil)
		p.claim.peak = len(s.peaks)
	}
	k := &s.peaks[p.claim.peak-1]
	if p.higher || p.stands && !(*k).stands {
		*k = &kept{stands: p.stands}
	}
	if p.stands == (*k).stands {
		(*k).take(tr, p.at)
	}
}

// take takes a trace up to the event that showed the feature, if none is shorter: of
// two alike the newer one, as where the other led nothing may lead on.
func (k *kept) take(tr Trace, at int) {
	if at > 0 { // else it is the end of the run that shows it
		tr = tr[:at]
	}
	if k.trace == nil || len(tr) <= len(k.trace) {
		k.trace = tr
	}
}
