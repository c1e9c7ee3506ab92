// Package shrink makes the trace of a failure short.
//
// Each part of a trace is a trace, so events are left out first, many at once. Then what
// is left is made plainer. A smaller trace counts if it fails in the same way.
package shrink

import (
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// mostRuns is how many runs shrinking may take.
const mostRuns = 3000

// Result is what shrinking came to.
type Result struct {
	Failure *judge.Failure
	Trace   trace.Trace
	Free    []Freedom // by event: what of it does not matter; nil: not known
	Deep    bool      // it is seen only where the trace is compared with variants of it
	Sure    Sureness
}

// Sureness says whether a trace fails each time that it is run.
type Sureness uint8

const (
	Always    Sureness = iota
	Sometimes          // FlakyRuns runs of each trace were made, of which one failed
	Once               // it failed once, and not again in FlakyRuns runs
)

// shrinker looks for a smaller trace that fails in the same way.
type shrinker struct {
	j    *judge.Judge
	best trace.Trace
	f    *judge.Failure
	run  func(trace.Trace) *judge.Failure
	runs int
}

// Shrink returns the smallest trace that it finds of those that fail as tr does.
func Shrink(j *judge.Judge, dict trace.Dictionary, tr trace.Trace, f *judge.Failure) Result {
	s := &shrinker{j: j, best: tr, f: f, run: shallowly(j)}
	j.World().CutChatter(f.Chatters)
	deep := false
	switch alone := failsAlone(f); {
	case f.Oracle == judge.Determinism:
		return shrinkFlaky(j, dict, tr, f)
	case alone != nil && s.try(alone):
	case !s.try(tr): // it fails when it is compared
		if s.run, deep = deeply(j), true; !s.try(tr) {
			return shrinkFlaky(j, dict, tr, f)
		}
	case f.At < len(tr):
		s.try(tr[:f.At:f.At]) // what comes after it
	}
	s.minimize()
	free := s.free()
	j.World().CutChatter(false)
	if f.Chatters && s.times() == 0 { // it was cut off too soon
		s.best, free = tr, nil
	}
	if s.times() < looks {
		return shrinkFlaky(j, dict, tr, f)
	}
	return Result{Failure: s.f, Trace: dict.Lasting(s.best), Free: free, Deep: deep}
}

// failsAlone returns the variant that failed by itself when a trace was compared; nil if
// none did.
func failsAlone(f *judge.Failure) trace.Trace {
	if len(f.Runs) == 1 && !f.Runs[0].Spurious {
		return f.Runs[0].Trace
	}
	return nil
}

func shallowly(j *judge.Judge) func(trace.Trace) *judge.Failure {
	return func(tr trace.Trace) *judge.Failure { return j.Check(tr, false, nil) }
}

func deeply(j *judge.Judge) func(trace.Trace) *judge.Failure {
	return func(tr trace.Trace) *judge.Failure { return j.Check(tr, true, nil) }
}

// looks is how often a trace must fail to count as one that always does.
const looks = 3

// times returns how many of so many looks show the failure.
func (s *shrinker) times() (n int) {
	for range looks {
		if s.run(s.best).Same(s.f) {
			n++
		}
	}
	return n
}

// minimize leaves out and makes plainer until nothing gets smaller.
func (s *shrinker) minimize() {
	for before := -1; before != s.size() && s.runs < mostRuns; {
		before = s.size()
		s.leaveOut()
		s.merge()
		s.renumber()
		s.plainer()
	}
}

// size returns what shrinking makes smaller.
func (s *shrinker) size() (n int) {
	for _, e := range s.best {
		n += 1<<20 + int(e.On) + int(e.A) + int(e.B)
		if e.Hold {
			n += 1 << 10
		}
		if e.Op != trace.Settle {
			n++
		}
	}
	return n
}

// try takes a trace if it fails in the same way, and reports whether it does.
func (s *shrinker) try(tr trace.Trace) bool {
	if s.runs >= mostRuns {
		return false
	}
	s.runs++
	f := s.run(tr)
	if !f.Same(s.f) {
		return false
	}
	s.best, s.f = tr, f
	return true
}

func (s *shrinker) leaveOut() {
	for size := len(s.best); size > 0; size /= 2 {
		for at := 0; at < len(s.best); {
			rest := append(trace.Trace{}, s.best[:at]...)
			if rest = append(rest, s.best[min(len(s.best), at+size):]...); !s.try(rest) {
				at += size
			}
		}
	}
}

// merge tries one send in the place of two of the same word.
func (s *shrinker) merge() {
	for at := 0; at+1 < len(s.best); at++ {
		for at+1 < len(s.best) {
			a, b := s.best[at], s.best[at+1]
			if a.Op != trace.Send || b.Op != trace.Send || a.On != b.On || a.A != b.A {
				break
			}
			tr := append(trace.Trace{}, s.best[:at+1]...)
			tr[at].B += b.B + 1
			if !s.try(append(tr, s.best[at+2:]...)) {
				break
			}
		}
	}
}

// renumber tries connections of lower numbers, each with all that happens to it.
func (s *shrinker) renumber() {
	onAny := func(e trace.Event) bool { return e.Op.Target() == trace.OnConn }
	for at, e := range s.best {
		for to := uint16(0); onAny(e) && to < e.On; to++ {
			tr := append(trace.Trace{}, s.best...)
			for i := at; i < len(tr); i++ {
				if onAny(tr[i]) && tr[i].On == e.On {
					tr[i].On = to
				}
			}
			if s.try(tr) {
				break
			}
		}
	}
}

// plainer tries smaller arguments for each event.
func (s *shrinker) plainer() {
	for at := range s.best {
		s.change(at, func(e *trace.Event) { e.Hold = false })
		s.change(at, func(e *trace.Event) { e.On = 0 })
		for _, arg := range []func(*trace.Event) *uint16{
			func(e *trace.Event) *uint16 { return &e.A },
			func(e *trace.Event) *uint16 { return &e.B },
		} {
			s.change(at, func(e *trace.Event) { *arg(e) = 0 })
			for s.change(at, func(e *trace.Event) { *arg(e) /= 2 }) {
			}
			s.change(at, func(e *trace.Event) { *arg(e) -= min(*arg(e), 1) })
		}
	}
}

func (s *shrinker) change(at int, f func(*trace.Event)) bool {
	e := s.best[at]
	if f(&e); e == s.best[at] {
		return false
	}
	tr := append(trace.Trace{}, s.best...)
	tr[at] = e
	return s.try(tr)
}
