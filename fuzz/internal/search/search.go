package search

import (
	"math/rand/v2"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// Config sets what traces are made of.
type Config struct {
	Strategy  Strategy
	Dict      trace.Dictionary
	WordsOnly bool // no single bytes
	Loops     int
	Conns     int
	Faults    trace.Weights
	Roles     sim.Roles
}

// Search plans the traces of a search. The same seed, with the same runs learnt in the same
// order, makes the same traces.
type Search struct {
	cfg    Config
	seed   uint64
	found  sim.Found
	made   int // plans
	words  vocabulary
	count  *counter // of an exhaustive search; nil: it is none
	corpus *Corpus
}

// Plan says how the trace of a run is made. It depends on what the search knew when the run
// was planned, so a Maker on any goroutine makes the same trace of it.
type Plan struct {
	n     int      // of the run
	how   Strategy // by which it is drawn
	ready trace.Trace
	from  trace.Trace // to change
	other trace.Trace // to take a part of
	grown bool        // it is from changed
}

// New returns a Search for a world. A run of the empty trace must have shown what Setup
// declares.
func New(cfg Config, w *sim.World, seed uint64) *Search {
	s := &Search{cfg: cfg, seed: seed, found: *w.Found(), words: newVocabulary(&cfg, w)}
	s.corpus = NewCorpus(rand.New(rand.NewPCG(seed, 0)))
	if cfg.Strategy.IsExhaustive() {
		s.count = newCounter(&s.cfg, w, int(cfg.Strategy-exhaustive))
	}
	return s
}

// Plan plans the next run; ok is false when there are no more.
func (s *Search) Plan() (p Plan, ok bool) {
	p.n, p.how = s.made, s.cfg.Strategy
	s.made++
	switch {
	case s.count != nil:
		p.ready, ok = s.count.next()
		return p, ok
	case s.cfg.Strategy == Guided && s.corpus.Size() > 0 && s.corpus.IntN(2) == 0:
		p.from, p.other, p.grown = s.corpus.pick(), s.corpus.pick(), true
	}
	return p, true
}

// Learn keeps a trace for the features that its run has shown, and notes what it has found
// in its world.
func (s *Search) Learn(tr trace.Trace, shown *Shown, peak Peak, found sim.Found) {
	s.corpus.Keep(tr, shown.Hits, peak)
	s.found.Add(found)
}

// Corpus returns how many features runs have shown.
func (s *Search) Corpus() int { return s.corpus.Size() }

// Maker makes the traces of plans. Each goroutine has its own.
type Maker struct {
	rng *rng
	pcg *rand.PCG
	of  *Search
}

// Maker returns a Maker for plans of s. It must not be used while a plan is made, or a run
// is learnt.
func (s *Search) Maker() *Maker {
	pcg := &rand.PCG{}
	return &Maker{rng: newRNG(&s.cfg, &s.found, s.words, rand.New(pcg)), pcg: pcg, of: s}
}

// Make returns the trace of a plan.
func (m *Maker) Make(p Plan) trace.Trace {
	if m.of.count != nil {
		return p.ready
	}
	m.pcg.Seed(m.of.seed, spread(uint64(p.n)))
	if m.rng.how = p.how; p.grown {
		return m.rng.mutate(p.from, p.other)
	}
	return m.rng.trace()
}

// spread makes numbers that follow each other differ in most bits (the finalizer of
// SplitMix64).
func spread(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
