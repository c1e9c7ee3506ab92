package fuzz

import (
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// Helpers of tests that use the parts of an engine.

func (e *engine) run(tr trace.Trace) *judge.Failure { return e.judge.Run(tr) }

func (e *engine) check(tr trace.Trace, deep bool) *judge.Failure {
	return e.judge.Check(tr, deep, nil)
}

func (e *engine) begin(tr trace.Trace) error { return e.world.Begin(tr, sim.Options{}) }

func (e *engine) got(conn int) string { return string(e.world.Conn(conn).Got) }

// random returns a source of traces that are drawn at random.
func (e *engine) random(seed uint64, how Strategy) func() trace.Trace {
	s := search.New(e.spec.search(how), e.world, seed)
	m := s.Maker()
	return func() trace.Trace {
		p, _ := s.Plan()
		return m.Make(p)
	}
}

// shrunk returns the Finding of a trace that fails, after shrinking.
func (e *engine) shrunk(tr trace.Trace, f *judge.Failure) *Finding {
	found := &Finding{}
	found.tell(e.shrink(tr, f))
	return found
}

// told counts the events of closed sockets that loop 0 got in a run.
type told struct{ n int }

func (*told) Wants() []sim.What { return []sim.What{sim.StaleEvents} }

func (s *told) Observe(o *sim.Observation) {
	if o.Loop == 0 {
		s.n = o.N
	}
}
