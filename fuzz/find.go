package fuzz

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/trace"
)

// Strategy is how a search chooses its next trace.
type Strategy int

const (
	// Guided draws half of the traces at random, as Swarm or as Random does, and makes the
	// others by changing traces that showed something new. It is the best strategy for
	// protocols of many steps.
	Guided Strategy = iota
	// Swarm draws each trace at random, with its own frequencies: some faults are off,
	// others are frequent. It keeps no traces, so searches with different seeds do not
	// repeat each other's work, and several processes can share a budget.
	Swarm
	// Random draws all traces with the same frequencies of events. It is the baseline that
	// the others are measured against.
	Random
)

// Exhaustive returns the Strategy that tries every trace of at most depth events, the
// short ones first. The events are without faults: two connections that dial, send a word
// of Dict, half-close and reset; the actions, with arguments 0 and 1; a millisecond, a
// second, a minute; a shutdown. It leaves out events of connections that are not open, and
// traces that differ from others only in the numbers of their connections. The search ends
// when all traces are done: see Finding.Done.
func Exhaustive(depth int) Strategy { return Strategy(search.Exhaustive(depth)) }

// String returns the Strategy as FUZZ_STRATEGY has it.
func (s Strategy) String() string { return search.Strategy(s).String() }

// Budget bounds a search by runs, by time, or by both. The zero Budget is 1,000 guided
// runs; an exhaustive search needs no bound. If there is a bound of time, shrinking ends a
// tenth of it later, and at least 5 s later: the shortest trace so far is reported then.
type Budget struct {
	Runs     int
	Time     time.Duration
	Strategy Strategy
	// Workers is how many goroutines make runs; 0: one. The Finding is the same with any
	// number. Each worker has a World of its own, but functions of the Spec, such as Setup,
	// models and actions, and handlers, are called from several goroutines at once. So with
	// more than one they must not change anything that they share: a variable that Setup sets
	// and an oracle reads is shared, what Setup makes for its machines is not, and kinds are
	// safe.
	Workers int
	Soak    time.Duration // how long a soak may take: see "The soak" in the package comment; 0: there is none
}

// String describes the bounds of a Budget.
func (b Budget) String() string {
	var all []string
	if b.Runs > 0 {
		all = append(all, report.Thousands(uint64(b.Runs))+" runs")
	}
	if b.Time > 0 {
		all = append(all, b.Time.String())
	}
	return strings.Join(all, " or ")
}

// shrinkBy returns when shrinking ends at the latest, after a search that ends at a time: the
// search's own time is not lost, and a failure that comes late has some seconds.
func (b Budget) shrinkBy(end time.Time) time.Time { return end.Add(max(leastShrink, b.Time/10)) }

const leastShrink = 5 * time.Second

// UnseenRuns is the number of runs from which on a search of [Run] fails if Finding.Unseen
// is not empty.
const UnseenRuns = 10_000

// Failure is what is wrong with a run.
type Failure struct {
	Oracle string        // the name of the check that failed, such as "lost wake-up"
	Text   string        // what is wrong
	State  string        // of the machine, if it is about one
	At     int           // how many events of the trace had happened
	Time   time.Duration // on the world's clock, which begins at 1 h; 0: the failure has no time
	Stack  []byte        // of a panic
}

func (f *Failure) Error() string { return f.Oracle + ": " + f.Text }

// Finding is the result of a search.
type Finding struct {
	Failure   *Failure    // nil: none was found
	Trace     trace.Trace // the shortest one found that fails
	Seed      uint64
	Runs      int
	Events    int      // of all traces
	Simulated int      // readiness events that loops were given, also in the runs that are compared
	Corpus    int      // how many features runs showed; see "The search" in the package comment
	Soaked    int      // events of the soak
	Done      bool     // an exhaustive search has tried all traces
	Missing   []string // edges that tables declare and no machine took
	Unseen    []string // conditions given to Sometimes that were true in no run, and oracles and roles for an address that had no connection
	Report    *Report  // nil unless Spec.Report asked for it

	Undecided int // runs that passed as a Linear could not decide them

	account *report.Account // of Trace; nil: no trace failed or was replayed
}

// Find searches for a trace that fails, and shrinks it. The same seed and number of runs
// give the same Finding, whatever the number of workers.
func Find(spec Spec, seed uint64, b Budget) *Finding {
	e, found := newEngine(spec), &Finding{Seed: seed}
	exhaustive := search.Strategy(b.Strategy).IsExhaustive()
	if !exhaustive && b.Runs == 0 && b.Time == 0 {
		b.Runs = 1000
	}
	e.declare(found)
	e.count()
	s := search.New(e.spec.search(b.Strategy), e.world, seed)
	e.search(s, found, b)
	if found.Failure == nil && found.Runs < soakAfter && b.Soak > 0 && !exhaustive {
		if b.Time > 0 {
			e.shrinkBy = b.shrinkBy(time.Now().Add(b.Soak))
		}
		e.soak(found, seed, b.Soak)
	}
	found.Corpus = s.Corpus()
	return e.conclude(found, b)
}

// progressEvery is how often Run says how far a search has come.
const progressEvery = 10 * time.Second

// declare makes a run of the empty trace, which shows what Setup declares.
func (e *engine) declare(found *Finding) {
	e.judge.Run(nil)
	var shown search.Shown
	e.cover.Copy(&shown)
	e.known.Add(&shown)
	found.Simulated += int(e.world.AllEvents())
}

// search makes rounds of runs until one fails or the budget is spent. After soakAfter runs
// comes the soak.
func (e *engine) search(s *search.Search, found *Finding, b Budget) {
	r, told := newRounds(e, s, b.Workers), time.Now()
	var until time.Time
	if b.Time > 0 {
		until = time.Now().Add(b.Time)
		e.shrinkBy = b.shrinkBy(until)
	}
	for !found.Done && (b.Runs == 0 || found.Runs < b.Runs) {
		n, end := found.Runs, roundEnd(found.Runs)
		if b.Runs > 0 {
			end = min(end, b.Runs)
		}
		if e.spec.progress != nil && time.Since(told) > progressEvery {
			told = time.Now()
			found.Corpus = s.Corpus()
			e.spec.progress(found)
		}
		more := r.plan(n, end)
		all := r.make(n, until)
		for i := range all {
			o := &all[i]
			peak := e.learn(o, found)
			if s.Learn(o.trace, &o.shown, peak, o.found); o.failure != nil {
				e.fails(found, o.trace, o.failure)
				return
			}
		}
		if len(all) < len(r.plans) {
			return // the time is up
		}
		found.Done = !more
		if found.Runs == soakAfter && b.Soak > 0 && !found.Done {
			begin := time.Now()
			if e.soak(found, found.Seed, b.Soak); found.Failure != nil {
				return
			}
			if b.Time > 0 {
				until = until.Add(time.Since(begin))
				e.shrinkBy = b.shrinkBy(until)
			}
		}
	}
}

// fails adds a failure to the Finding, after shrinking.
func (e *engine) fails(found *Finding, tr trace.Trace, f *judge.Failure) {
	if e.tally != nil {
		e.tally.End()
	}
	outlives := e.outlives()
	account := e.shrink(tr, f)
	if outlives != "" {
		account.Remark(outlives)
	}
	found.tell(account)
}

// Replay runs one trace, with all checks.
func Replay(spec Spec, tr trace.Trace) *Finding {
	e, found := newEngine(spec), &Finding{}
	e.count()
	journal, o := report.NewJournal(), outcome{trace: tr}
	if e.tally != nil {
		o.counted.Attach(e.world)
	}
	o.failure = e.judge.Check(tr, true, journal)
	if e.tally != nil {
		o.counted.Detach()
	}
	e.cover.Copy(&o.shown)
	e.judge.Take(&o.notes)
	o.found = *e.world.Found()
	o.events = e.world.AllEvents()
	e.learn(&o, found)
	found.tell(report.OfRun(e.judge, e.spec.dict(), tr, o.failure, journal))
	return e.conclude(found, Budget{})
}

// tell notes the trace that an account is of, and its failure.
func (f *Finding) tell(a *report.Account) {
	f.account, f.Trace = a, a.Trace
	if a.Failure != nil {
		f.Failure = publicFailure(a.Failure)
	}
}

func publicFailure(f *judge.Failure) *Failure {
	return &Failure{f.Oracle, f.Text, f.State, f.At, f.Time, f.Stack}
}

// String returns the Finding in one line.
func (f *Finding) String() string {
	if f.Failure != nil {
		return f.Failure.Error() + " (" + f.effort() + ")"
	}
	return f.effort()
}

// effort returns how far a search came.
func (f *Finding) effort() string {
	s := fmt.Sprintf("%d runs, %d events, %d features, seed %#x", f.Runs, f.Events, f.Corpus, f.Seed)

	if f.Soaked > 0 {
		s += fmt.Sprintf("; a soak of %d events", f.Soaked)
	}
	if f.Done {
		s += "; there is no other trace"
	}
	if len(f.Missing) > 0 {
		s += "; never: " + strings.Join(f.Missing, ", ")
	}
	if f.Undecided > 0 {
		s += fmt.Sprintf("; %d runs undecided", f.Undecided)
	}
	if len(f.Unseen) > 0 {
		s += "; not seen: " + strings.Join(f.Unseen, ", ")
	}
	return s
}

// Explain returns what happened in the run that fails: what is wrong, in one line; event
// by event, in a table; as a Mermaid sequence diagram; and the trace, for trace.Parse. If
// no run fails it returns the Finding in one line.
func (f *Finding) Explain() string {
	if f.Failure == nil {
		return f.String()
	}
	return f.account.Explain()
}

// Mermaid returns the run as a Mermaid sequence diagram. If the failure is a difference
// between two runs, it is the second one. It is empty for a search that found nothing.
func (f *Finding) Mermaid() string {
	if f.account == nil {
		return ""
	}
	return f.account.Mermaid()
}

// GoTest returns the source of a Go test that runs the trace of a Finding again. spec is
// a Go expression of the Spec, such as "echoSpec()". The test needs the imports testing,
// fuzz and fuzz/trace.
func (f *Finding) GoTest(spec string) string {
	a := report.Account{}
	if f.account != nil {
		a = *f.account
	}
	if a.Trace = f.Trace; f.Failure != nil { // both may have been edited
		a.Failure = &judge.Failure{Oracle: f.Failure.Oracle, Text: f.Failure.Text}
	}
	return a.GoTest(spec)
}

// unseen returns an error if a search of UnseenRuns runs left a condition unseen.
func (f *Finding) unseen() error {
	if f.Runs < UnseenRuns || len(f.Unseen) == 0 {
		return nil
	}
	return fmt.Errorf("in %d runs this was never seen: %s", f.Runs, strings.Join(f.Unseen, ", "))
}

// Report shows what a search did: Text and HTML show the same. Two reports of the same
// seed and number of runs differ only in the line of times.
type Report struct {
	Name string // what was searched, for the title

	r *report.Report
}

// Text returns the report for terminals, and for comparing: the line of times begins with
// "time".
func (r *Report) Text() string { return r.named().Text() }

// HTML returns the report as one page that needs no script, no other file and no network.
// It is well-formed XML as well.
func (r *Report) HTML() string { return r.named().HTML() }

func (r *Report) named() *report.Report {
	r.r.Name = r.Name
	return r.r
}
