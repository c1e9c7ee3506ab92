package fuzz

import (
	"math/rand/v2"
	"time"
)

// Budget bounds a search: by runs, by time, or by both. The zero Budget is 1,000 runs.
type Budget struct {
	Runs int
	Time time.Duration
}

// Finding is what a search came to.
type Finding struct {
	Failure *Failure // nil: none
	Trace   Trace    // the shortest one found that fails
	Seed    uint64
	Runs    int
	Events  int      // of traces
	Corpus  int      // traces that made machines do something new
	Missing []string // edges that tables declare and no machine took
	Report  *Report  // what else is known of the search, if Spec.Report asked for it

	w *World // that ran it last
}

// search makes runs until one fails or the budget is spent. The same seed and
// number of runs give the same finding.
type search struct {
	w      *World
	dice   dice
	corpus []Trace
	known  map[uint32]bool // features
	events int
}

// Find looks for a trace that fails, and shrinks it. Half of the traces are drawn
// anew, the others are changed from those that made machines take a transition, or
// two in a row, that none took before.
func Find(spec Spec, seed uint64, b Budget) *Finding {
	s := &search{w: newWorld(spec.filled()), known: make(map[uint32]bool)}
	count := s.w.tally
	s.dice = dice{Rand: rand.New(rand.NewPCG(seed, 0)), spec: s.w.spec}
	if b.Runs == 0 && b.Time == 0 {
		b.Runs = 1000
	}
	begin := time.Now()
	found := &Finding{Seed: seed}
	for n := 0; b.Runs == 0 || n < b.Runs; n++ {
		if b.Time > 0 && n%16 == 0 && time.Since(begin) > b.Time {
			break
		}
		tr := s.next()
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
	found.Events, found.Corpus, found.Missing = s.events, len(s.corpus), s.w.cover.missing()
	found.Report = count.report(s.w, found, b)
	return found
}

func (s *search) next() Trace {
	if len(s.corpus) == 0 || s.dice.IntN(2) == 0 {
		return s.dice.trace()
	}
	pick := func() Trace { return s.corpus[s.dice.IntN(len(s.corpus))] }
	return s.dice.mutate(pick(), pick())
}

// keep keeps a trace that showed something new.
func (s *search) keep(tr Trace) {
	fresh := false
	for _, f := range s.w.cover.hits {
		if !s.known[f] {
			s.known[f], fresh = true, true
		}
	}
	if fresh {
		s.corpus = append(s.corpus, tr)
	}
}
