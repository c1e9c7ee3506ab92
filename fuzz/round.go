package fuzz

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
)

// A search makes its runs in rounds. All traces of a round are planned with what was known
// when it began, so its runs can be made by several workers, in any order. What they showed
// is learnt in the order of their numbers. So a search does the same with any number of
// workers.

const (
	leastRound = 4  // the first rounds are short: nothing is known yet
	mostRound  = 64 // runs
	// aloneUntil is how many runs the first worker makes alone. If machines share what
	// Setup does not make anew, the check of determinism most often finds it there, before
	// several goroutines use it at once.
	aloneUntil = 32
)

// One of comparedOf runs is compared with its variants. One of pressedOf is also compared with
// runs under pressure, which take as long as many others.
const (
	comparedOf = 8
	pressedOf  = 32
)

// roundEnd returns the number of the first run after the round that begins with run n.
func roundEnd(n int) int {
	end := n + max(leastRound, min(n, mostRound))
	if n < soakAfter {
		end = min(end, soakAfter)
	}
	return end
}

// outcome is a run that was made, and what is to be learnt from it.
type outcome struct {
	made    bool
	trace   trace.Trace
	failure *judge.Failure
	shown   search.Shown
	found   sim.Found
	notes   judge.Notes
	counted report.Notes
	sum     uint64 // of all that happened
	events  uint64 // readiness events
	tuned   bool   // the world had to trace: runs before it did not
}

// rounds makes the rounds of a search.
type rounds struct {
	e       *engine
	s       *search.Search
	workers []*runner
	most    int // workers
	plans   []search.Plan
	order   []int // in which the runs of a round begin
	out     []outcome
}

func newRounds(e *engine, s *search.Search, workers int) *rounds {
	workers = max(1, workers)
	e.maker = s.Maker()
	return &rounds{e: e, s: s, workers: []*runner{e.runner}, most: workers, out: make([]outcome, mostRound)}
}

// plan plans the runs from number n to a round's end; more is false if those are the last.
func (r *rounds) plan(n, end int) (more bool) {
	r.plans = r.plans[:0]
	for ; n < end; n++ {
		p, ok := r.s.Plan()
		if !ok {
			return false
		}
		r.plans = append(r.plans, p)
	}
	return true
}

// make makes the planned runs, of which the first has number n, and returns those that count:
// up to the first that fails, or those before the first that was not made in time.
func (r *rounds) make(n int, until time.Time) []outcome {
	workers := r.workers[:1]
	if n >= aloneUntil {
		for len(r.workers) < min(r.most, mostRound) {
			w := newRunner(r.e.spec)
			w.maker = r.s.Maker()
			r.workers = append(r.workers, w)
		}
		workers = r.workers
	}
	tracing := r.e.world.Tracing()
	for _, w := range workers {
		r.e.known.Tell(w.cover)
		if tracing {
			w.world.StartTracing()
		}
	}
	r.begin(n, len(workers) > 1)
	var next, fails atomic.Int64
	fails.Store(int64(len(r.plans)))
	work := func(w *runner) {
		for {
			at := int(next.Add(1)) - 1
			if at >= len(r.order) {
				return
			}
			i := r.order[at]
			first := int(fails.Load())
			if i > first || first == len(r.plans) && !until.IsZero() && time.Now().After(until) {
				continue
			}
			if w.make(&r.out[i], r.plans[i], n+i, tracing, r.e.tally != nil); r.out[i].failure != nil {
				for ; i < first && !fails.CompareAndSwap(int64(first), int64(i)); first = int(fails.Load()) {
				}
			}
		}
	}
	var all sync.WaitGroup
	for _, w := range workers[1:] {
		all.Add(1)
		go func() {
			defer all.Done()
			work(w)
		}()
	}
	work(workers[0])
	all.Wait()
	return r.counting(n, int(fails.Load()), tracing)
}

// begin sets the order in which the runs of a round begin: those that take long come first
// if several workers share them.
func (r *rounds) begin(n int, shared bool) {
	r.order = r.order[:0]
	for i := range r.plans {
		r.order, r.out[i].made, r.out[i].failure = append(r.order, i), false, nil
	}
	if shared {
		slices.SortStableFunc(r.order, func(a, b int) int { return weight(n+b) - weight(n+a) })
	}
}

// weight orders runs by how long they take.
func weight(n int) int {
	switch {
	case pressed(n):
		return 2
	case compared(n):
		return 1
	}
	return 0
}

func compared(n int) bool { return n%comparedOf == 0 }

func pressed(n int) bool { return n%pressedOf == pressedOf/2 }

// counting returns the outcomes that count. If a run fails, it makes those before it that the
// time was too short for.
func (r *rounds) counting(n, fails int, tracing bool) []outcome {
	for i := range r.plans {
		o := &r.out[i]
		if !o.made && fails == len(r.plans) {
			return r.out[:i]
		}
		if !o.made {
			r.e.make(o, r.plans[i], n+i, tracing, r.e.tally != nil)
		}
		if o.failure != nil {
			return r.out[:i+1]
		}
	}
	return r.out[:len(r.plans)]
}

// make makes run n of a search.
func (w *runner) make(o *outcome, p search.Plan, n int, tracing, counts bool) {
	o.trace = w.maker.Make(p)
	if w.judge.Pressure = judge.PressureNone; pressed(n) {
		w.judge.Pressure = judge.PressureAll
	}
	before := w.world.AllEvents()
	if counts {
		o.counted.Attach(w.world)
	}
	o.failure = w.judge.Check(o.trace, compared(n), nil)
	o.sum = w.world.Sum()
	if counts {
		o.counted.Detach()
	}
	w.judge.Pressure = judge.PressureJudged
	w.cover.Copy(&o.shown)
	w.judge.Take(&o.notes)
	o.events, o.found = w.world.AllEvents()-before, *w.world.Found()
	if o.tuned = w.world.Tracing() && !tracing; o.tuned {
		w.world.StopTracing() // as the runs beside it began
	}
	o.made = true
}

// learn adds a run to what is known.
func (e *engine) learn(o *outcome, found *Finding) search.Peak {
	e.keep(o, found.Runs)
	found.Events += len(o.trace)
	found.Runs++
	found.Simulated += int(o.events)
	if o.tuned {
		e.world.StartTracing()
	}
	e.notes.Add(&o.notes)
	e.found.Add(o.found)
	peak := e.known.Add(&o.shown)
	if e.tally != nil {
		e.tally.Ran(&o.counted, o.shown.Hits)
	}
	return peak
}
