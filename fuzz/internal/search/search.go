package search

import (
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// Config sets what traces are made of.
type Config struct {
	Strategy Strategy
	Dict     trace.Dictionary
	Loops    int
	Conns    int
	Faults   trace.Weights
	Roles    sim.Roles
}

// Search makes the traces of a search. The same seed, with the same runs, makes the same
// traces.
type Search struct {
	cfg    Config
	rng    *rng
	count  *counter // of an exhaustive search; nil: it is none
	corpus *Corpus
}

// New returns a Search for a world. A run of the empty trace must have shown what Setup
// declares.
func New(cfg Config, w *sim.World, seed uint64) *Search {
	s := &Search{cfg: cfg}
	s.rng = newRNG(&s.cfg, w, seed)
	s.corpus = NewCorpus(s.rng.Rand)
	if cfg.Strategy.IsExhaustive() {
		s.count = newCounter(&s.cfg, w, int(cfg.Strategy-exhaustive))
	}
	return s
}

// Next returns the next trace; ok is false when there are no more.
func (s *Search) Next() (tr trace.Trace, ok bool) {
	switch {
	case s.count != nil:
		return s.count.next()
	case s.cfg.Strategy != Guided || s.corpus.Size() == 0 || s.rng.IntN(2) == 0:
		return s.rng.trace(), true
	}
	return s.rng.mutate(s.corpus.pick(), s.corpus.pick()), true
}

// Learn keeps a trace for the features that its run has shown.
func (s *Search) Learn(tr trace.Trace, c *Coverage) { s.corpus.Keep(tr, c.hits, c.peak) }

// Corpus returns how many features runs have shown.
func (s *Search) Corpus() int { return s.corpus.Size() }
