package fuzz

import (
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// soakAfter is after how many runs of a search its soak comes. Shorter searches soak at
// their end.
const soakAfter = 1000

// soaker makes the runs of a soak, in a world of its own.
type soaker struct {
	spec     *Spec
	judge    *judge.Judge
	until    time.Time
	shrinkBy time.Time
	late     bool // the time was up before the soak was over
	found    *Finding
}

// soak makes long runs of ordinary conversations, and adds to a Finding what fails. The runs
// have a world of their own: they change neither what the search learns nor its report.
func (e *engine) soak(found *Finding, seed uint64, most time.Duration) {
	w := sim.New(e.spec.world())
	s := &soaker{spec: e.spec, judge: judge.New(w, e.spec.judges()), until: time.Now().Add(most), shrinkBy: e.shrinkBy, found: found}
	s.judge.Strict()
	w.Attach(s)
	traces, failing := search.NewSoak(e.spec.search(Guided), w, seed, func(tr trace.Trace) bool { return s.judge.Run(tr) != nil })
	if failing != nil {
		if f := s.judge.Check(failing, false, nil); f != nil {
			s.fails(failing, f)
		}
		return
	}
	if s.passes(traces.Churn()) {
		traces.Talks(s.passes)
	}
}

// Wants is part of sim.Observer.
func (s *soaker) Wants() []sim.What { return []sim.What{sim.RoundOver} }

// Observe is part of sim.Observer. It ends a run that takes too long.
func (s *soaker) Observe(*sim.Observation) {
	if time.Now().After(s.until) {
		s.late = true
		s.judge.World().Halt()
	}
}

// passes runs a trace, and reports whether it passes and there is time left. A leak must
// also show in a run that is four times as long: a cache may fill for some time.
func (s *soaker) passes(tr trace.Trace) bool {
	begin := time.Now()
	f := s.judge.Check(tr, false, nil)
	s.found.Soaked += events(tr)
	if s.late {
		return false
	}
	until := s.until
	if f != nil && f.Oracle == judge.Leak {
		s.until = time.Now().Add(muchLonger * time.Since(begin))
		longer := search.Longer(tr)
		if g := s.judge.Check(longer, false, nil); !s.late && (g == nil || g.Oracle != judge.Leak) {
			tr, f = longer, g
		}
	}
	if f != nil && s.fails(tr, f) {
		return false
	}
	s.until = until
	return true
}

// muchLonger is how many times as long a run with four times as many rounds takes at most,
// unless what grows also makes it slower.
const muchLonger = 30

// sure is how long it may take to make sure of a failure and to shrink it.
const sure = time.Hour

// events returns how many events the run of a trace has.
func events(tr trace.Trace) int {
	n := len(tr)
	for i, e := range tr {
		if e.Op == trace.Repeat && e.A > 0 {
			n += int(e.A) * int(e.B)
		} else if e.Op == trace.Repeat {
			n += i * int(e.B)
		}
	}
	return n
}

// fails adds a failure to the Finding, after shrinking. It returns false for a leak that no
// other run of the trace shows: then something else in the process used memory.
func (s *soaker) fails(tr trace.Trace, f *judge.Failure) bool {
	s.judge.Sure()
	s.until = s.until.Add(sure)
	r := shrink.Shrink(s.judge, s.spec.dict(), tr, f, s.shrinkBy)
	if f.Oracle == judge.Leak && r.Repeats == shrink.Once {
		return false
	}
	s.found.tell(report.OfResult(s.judge, s.spec.dict(), r))
	return true
}
