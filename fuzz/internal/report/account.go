package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/trace"
)

// Account is a trace that was run: its failure, if it has one, and what happened.
type Account struct {
	Failure *judge.Failure // nil: none
	Trace   trace.Trace

	comes   string // how sure the failure is to come again, if it is not, and other remarks
	free    []shrink.Freedom
	stories []story // the runs that show it: two, if the failure is their difference
	words   wording
}

// wording has what is needed to describe events.
type wording struct {
	dict    trace.Dictionary
	actions []string
	conns   int
}

func newAccount(j *judge.Judge, dict trace.Dictionary, tr trace.Trace) *Account {
	return &Account{Trace: tr, words: wording{dict, j.World().Actions(), j.World().Conns()}}
}

// OfRun returns the account of a run that was judged, with its journal.
func OfRun(j *judge.Judge, dict trace.Dictionary, tr trace.Trace, f *judge.Failure, journal *Journal) *Account {
	a := newAccount(j, dict, tr)
	if a.Failure = f; f != nil {
		a.stories = explainDivergence(j, f)
	}
	if a.stories == nil {
		a.stories = []story{ofJournal(tr, f, journal)}
	}
	return a
}

// faults returns the names of the faults that struck in the runs that show the failure. It is
// not known whether a limit was reached: those of the trace count.
func (a *Account) faults() string {
	var names []string
	for op := range trace.NumOps {
		limits := op == trace.Limit || op == trace.Scarce
		for _, s := range a.stories {
			if s.struck[op] || limits && slices.ContainsFunc(s.Trace, func(e trace.Event) bool { return e.Op == op }) {
				names = append(names, op.String())
				break
			}
		}
	}
	return strings.Join(names, ", ")
}

// OfLost returns the account of a run that failed and did not fail when it was run again.
func OfLost(j *judge.Judge, dict trace.Dictionary, tr trace.Trace, f *judge.Failure, journal *Journal) *Account {
	a := OfRun(j, dict, tr, nil, journal)
	a.Failure, a.comes = f, "It came once, and not again when its trace was run once more."
	return a
}

// OfResult runs a trace that was shrunk, and returns its account.
func OfResult(j *judge.Judge, dict trace.Dictionary, r shrink.Result) *Account {
	a := ofResult(j, dict, r)
	if r.Cut {
		a.Remark("Shrinking was cut short, as its time was up: a shorter trace may fail as well.")
	}
	return a
}

// Remark adds a line to what is said of the failure.
func (a *Account) Remark(text string) {
	if a.comes != "" {
		a.comes += "\n"
	}
	a.comes += text
}

func ofResult(j *judge.Judge, dict trace.Dictionary, r shrink.Result) *Account {
	if r.Repeats != shrink.Always {
		return ofFlaky(j, dict, r)
	}
	journal := NewJournal()
	f := j.Check(r.Trace, r.Deep, journal)
	a := OfRun(j, dict, r.Trace, f, journal)
	a.free = r.Free
	return a
}

// flakyRuns is how many runs are made to see a flaky failure once more.
const flakyRuns = 10 * shrink.FlakyRuns

// ofFlaky returns the account of a run that shows a flaky failure, or of any run if none does.
func ofFlaky(j *judge.Judge, dict trace.Dictionary, r shrink.Result) *Account {
	a := newAccount(j, dict, r.Trace)
	a.Failure, a.comes = r.Failure, comes(r)
	for n := 0; n < flakyRuns && (n == 0 || !r.Cut); n++ {
		if r.Failure.Oracle == judge.Determinism {
			if a.stories = explainDivergence(j, r.Failure); a.stories != nil {
				return a
			}
			continue
		}
		journal := NewJournal()
		if f := j.Check(r.Trace, false, journal); f.Same(r.Failure) {
			a.Failure, a.stories = f, []story{ofJournal(r.Trace, f, journal)}
			return a
		}
	}
	v, journal := judge.Itself(r.Trace, "in a run that does not show it"), NewJournal()
	j.Rerun(v, journal)
	a.stories = []story{plainStory(v, journal)}
	return a
}

// comes describes how likely a flaky failure is to come again.
func comes(r shrink.Result) string {
	switch {
	case r.Repeats == shrink.Once:
		return fmt.Sprintf("It came once, and not again in %d more runs of its trace, which is therefore not shrunk.", shrink.FlakyRuns)
	case r.Failure.Oracle == judge.Determinism:
		return fmt.Sprintf("It was shrunk by %d runs of each shorter trace, two of which differed: one run alone may show nothing.", shrink.FlakyRuns)
	}
	return fmt.Sprintf("It comes and goes: the same trace does not fail each time (%s).\nIt was shrunk by %d runs of each shorter trace, one of which failed: one run alone may show nothing.", judge.UnsteadyWhy, shrink.FlakyRuns)
}

// ofJournal returns the story of a run: up to its failure, if it has one.
func ofJournal(tr trace.Trace, f *judge.Failure, journal *Journal) story {
	s := plainStory(judge.Itself(tr, ""), journal)
	if f == nil {
		return s
	}
	s.end = f.At
	if at := journal.answerAt(f.Tick); at > 0 && at < len(s.lines) { // what follows does not matter
		told := *s.Journal
		told.lines = told.lines[:at+1]
		s.Journal, s.marked, s.mark = &told, at, "← this answer"
	}
	if n := len(s.lines); n > 0 {
		s.end = max(s.end, s.lines[n-1].event)
	}
	return s
}
