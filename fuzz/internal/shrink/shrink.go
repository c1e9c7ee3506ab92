// Package shrink makes the trace of a failure short.
//
// A smaller trace takes the place of a larger one if it fails in the same way: see
// judge.Failure.Same. An event without a target does nothing, so a trace with events left
// out is a trace. The passes, in order:
//
//   - cut off the events behind the failure;
//   - leave out blocks of n, n/2, n/4 ... 1 events;
//   - merge two sends of the same word into one;
//   - give connections lower numbers;
//   - simplify: clear Hold, and make arguments smaller.
//
// All but the first are repeated until none of them makes the trace smaller. Then free.go
// finds which arguments and which orders of events do not matter.
//
// Most failures show in the run of their trace. A failure of a check that compares runs is
// deep: it shows only if the trace is also compared with variants of it. A failure is
// flaky if it shows in some runs of a trace and not in others: see flaky.go. A loop
// chatters if it goes on writing for ever. The world needs many writes to be sure of that,
// so shrinking lowers its bound while it tries smaller traces.
package shrink

import (
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// maxTries is how many smaller traces are tried. A try may take several runs.
const maxTries = 3000

// Result is the smallest trace that was found, and its failure.
type Result struct {
	Failure *judge.Failure
	Trace   trace.Trace
	Free    []Freedom // by event: what of it does not matter; nil: not known
	Cut     bool      // the time was up before the trace was as short as it gets
	Deep    bool      // the failure shows only if the trace is compared with variants of it
	Repeats Repeats
}

// Repeats says whether a trace fails each time that it is run.
type Repeats uint8

const (
	Always    Repeats = iota
	Sometimes         // at least one of FlakyRuns runs fails
	Once              // it failed once, and not again in FlakyRuns runs
)

// shrinker looks for a smaller trace that fails in the same way.
type shrinker struct {
	j    *judge.Judge
	best trace.Trace
	f    *judge.Failure
	run  func(trace.Trace) *judge.Failure
	made int       // tries
	by   time.Time // when the tries end; zero: never

	shrinks bool // the failure has come again, and smaller traces are tried
}

// late reports whether the time to shrink is up.
func (s *shrinker) late() bool { return !s.by.IsZero() && time.Now().After(s.by) }

// Shrink returns the smallest trace that it finds of those that fail as tr does. It tries no
// more once a time has passed, unless by is the zero Time.
func Shrink(j *judge.Judge, dict trace.Dictionary, tr trace.Trace, f *judge.Failure, by time.Time) Result {
	if f.Oracle == judge.Determinism {
		return shrinkFlaky(j, dict, tr, f, by)
	}
	s := &shrinker{j: j, best: tr, f: f, run: plain(j), by: by}
	j.World().ExpectChatter(f.Chatters)
	deep, again := s.start(tr)
	if !again {
		return shrinkFlaky(j, dict, tr, f, by)
	}
	s.minimize()
	free := s.free()
	j.World().ExpectChatter(false)
	if f.Chatters && s.confirmed() == 0 { // with the usual bound, the smaller trace passes
		s.best, free = tr, nil
	}
	if s.confirmed() < confirmations {
		return shrinkFlaky(j, dict, tr, f, by)
	}
	return Result{Failure: s.f, Trace: dict.Lasting(s.best), Free: free, Deep: deep, Cut: s.late()}
}

// start makes s.best a trace that fails when it is run again. If only a comparison shows
// the failure, deep is true. If nothing does, again is false.
func (s *shrinker) start(tr trace.Trace) (deep, again bool) {
	at := s.f.At
	if alone := failsAlone(s.f); alone != nil && s.try(alone) {
		return false, true
	}
	if s.try(tr) {
		if at < len(tr) {
			s.try(tr[:at:at]) // without the events behind the failure
		}
		return false, true
	}
	s.run = comparing(s.j, s.f.OfPressure())
	return true, s.try(tr)
}

// failsAlone returns the variant of a trace that failed by itself when the trace was
// compared; nil if none did.
func failsAlone(f *judge.Failure) trace.Trace {
	if len(f.Runs) == 1 && !f.Runs[0].Spurious {
		return f.Runs[0].Trace
	}
	return nil
}

// plain returns a function that runs a trace, without a comparison.
func plain(j *judge.Judge) func(trace.Trace) *judge.Failure {
	return func(tr trace.Trace) *judge.Failure { return j.Check(tr, false, nil) }
}

// comparing returns a function that runs a trace and compares it with variants of it, or
// only with those under pressure.
func comparing(j *judge.Judge, pressure bool) func(trace.Trace) *judge.Failure {
	return func(tr trace.Trace) *judge.Failure {
		if pressure {
			j.Pressure = judge.PressureAlone
			defer func() { j.Pressure = judge.PressureJudged }()
		}
		return j.Check(tr, true, nil)
	}
}

// confirmations is how often the shrunk trace must fail to count as one that always does.
const confirmations = 3

// confirmed runs the shrunk trace so many times, and returns how many runs fail.
func (s *shrinker) confirmed() (n int) {
	for range confirmations {
		if s.run(s.best).Same(s.f) {
			n++
		}
	}
	return n
}

// minimize repeats the passes until the trace gets no smaller.
func (s *shrinker) minimize() {
	s.shrinks = true
	for before := -1; before != s.size() && s.made < maxTries && !s.late(); {
		before = s.size()
		s.leaveOut()
		s.merge()
		s.renumber()
		s.simplify()
	}
}

// size is the measure that shrinking makes smaller.
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

// try replaces s.best by tr if tr fails in the same way, and reports whether it does.
func (s *shrinker) try(tr trace.Trace) bool {
	if s.made >= maxTries || s.shrinks && s.late() {
		return false
	}
	s.made++
	f := s.run(tr)
	if !f.Same(s.f) {
		return false
	}
	s.best, s.f = tr, f
	return true
}

// leaveOut tries traces without a block of events: large blocks first, then smaller ones.
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

// merge tries one send for two consecutive sends of the same word by one connection.
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

// renumber tries lower numbers for a connection, in its event and all later ones.
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

// simplify tries each event without Hold and with smaller arguments.
func (s *shrinker) simplify() {
	for at := range s.best {
		if s.best[at].Op == trace.Repeat { // with fewer rounds a leak may show in some runs only
			continue
		}
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

// change tries the trace with event at changed by f.
func (s *shrinker) change(at int, f func(*trace.Event)) bool {
	e := s.best[at]
	if f(&e); e == s.best[at] {
		return false
	}
	tr := append(trace.Trace{}, s.best...)
	tr[at] = e
	return s.try(tr)
}
