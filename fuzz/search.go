package fuzz

import (
	"time"

	"github.com/stator-go/stator/fuzz/trace"
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
	Failure *Failure    // nil: none
	Trace   trace.Trace // the shortest one found that fails
	Seed    uint64
	Runs    int
	Events  int      // of traces
	Corpus  int      // things that runs showed, with a trace for each
	Done    bool     // there is no other trace, see Exhaustive
	Missing []string // edges that tables declare and no machine took
	Unseen  []string // what should be seen sometimes (see package probe), and was not
	Report  *Report  // what else is known of the search, if Spec.Report asked for it

	Undecided int // runs of which Linear does not know

	w    *World     // that ran it last
	free [][]string // by event: what of it does not matter
}

// search makes runs until one fails or the budget is spent. The same seed and
// number of runs give the same finding.
type search struct {
	w      *World
	how    Strategy
	dice   *dice
	count  *counter // of an exhaustive search
	corpus *corpus
	events int
}

// Find looks for a trace that fails, and shrinks it. See Strategy for where traces
// come from. A guided search keeps those in which machines took a transition, or two
// in a row, that none took before; in which a fault met a state; or of which a probe
// told something new.
func Find(spec Spec, seed uint64, b Budget) *Finding {
	w := newWorld(spec.filled())
	count := w.tally
	s := &search{w: w, how: b.Strategy, dice: newDice(w, seed, b.Strategy)}
	s.corpus = newCorpus(s.dice.Rand)
	w.tally = nil
	w.run(nil) // shows what Setup declares
	w.tally = count
	if b.Strategy > exhaustive {
		s.count = newCounter(s.w, int(b.Strategy-exhaustive))
	} else if b.Runs == 0 && b.Time == 0 {
		b.Runs = 1000
	}
	begin := time.Now()
	found := &Finding{Seed: seed}
	for n := 0; b.Runs == 0 || n < b.Runs; n++ {
		if b.Time > 0 && time.Since(begin) > b.Time {
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
			short := w.shrink(tr, f)
			short.Seed, short.Runs = found.Seed, found.Runs
			found = short
			break
		}
		s.corpus.keep(tr, w.cover.hits, w.peak)
	}
	found.Undecided = s.w.undecided
	found.Events, found.Corpus, found.Missing, found.Unseen = s.events, len(s.corpus.all), s.w.cover.missing(), s.w.unseen()
	found.Report = count.report(s.w, found, b)
	return found
}

func (s *search) next() (trace.Trace, bool) {
	switch {
	case s.count != nil:
		return s.count.next()
	case s.how != Guided || len(s.corpus.all) == 0 || s.dice.IntN(2) == 0:
		return s.dice.trace(), true
	}
	return s.dice.mutate(s.corpus.pick(), s.corpus.pick()), true
}
