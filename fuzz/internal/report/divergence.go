package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/sim"
)

// Some failures are a difference between two runs. Both are run once more with a journal
// each, which records the first byte in which they differ.

// story is a run as the report shows it.
type story struct {
	judge.Variant
	*Journal
	sent   []byte // by the connection that is meant
	end    int    // how many events of its trace are told
	marked int    // the line of the journal that the other run does not have; -1: none
	mark   string // what is said of that
}

// plainStory returns the story of a run without a marked line.
func plainStory(v judge.Variant, journal *Journal) story {
	return story{Variant: v, Journal: journal, end: len(v.Trace), marked: -1}
}

// explainDivergence returns the runs that show a failure which the trace itself does not
// show, and sets in f when it came, in the numbers of the trace. It returns nil for other
// failures.
func explainDivergence(j *judge.Judge, f *judge.Failure) []story {
	switch {
	case f.Oracle == judge.Determinism:
		return explainUnsteady(j, f)
	case len(f.Runs) == 1:
		journal := NewJournal()
		g := j.Rerun(f.Runs[0], journal)
		s := plainStory(f.Runs[0], journal)
		if g != nil {
			s.end = g.At
			f.At, f.Time, f.During = s.Number(g.At), g.Time, g.During
		}
		return []story{s}
	case f.Outputs != nil:
		return explainOutputs(j, f)
	}
	return nil
}

// explainOutputs runs the two variants whose outputs differ.
func explainOutputs(j *judge.Judge, f *judge.Failure) (told []story) {
	at := judge.Parting(f.Outputs[0], f.Outputs[1])
	until := int64(0)
	for _, v := range f.Runs {
		journal := watching(f.Conn, at)
		j.Rerun(v, journal)
		s := plainStory(v, journal)
		s.sent = slices.Clone(j.World().Conn(f.Conn).Sent)
		if t := journal.watch; t.line >= 0 {
			s.marked, s.mark, s.end = t.line, fmt.Sprintf("← here is byte %d", at), t.event
			f.At, f.Time = s.Number(t.event), time.Duration(t.now)
			until = t.now
		}
		told = append(told, s)
	}
	for i := range told {
		told[i].cut(until)
	}
	return told
}

// cut ends the story behind the marked line, or at a time if no line is marked.
func (s *story) cut(until int64) {
	n := s.marked + 1
	if s.marked < 0 {
		for n = len(s.lines); n > 0 && s.lines[n-1].now > until && s.lines[n-1].event >= s.end; {
			n--
		}
	}
	s.lines = s.lines[:n]
}

// explainUnsteady runs each trace that may differ from itself twice.
func explainUnsteady(j *judge.Judge, f *judge.Failure) []story {
	for _, v := range f.Runs {
		how := v.How
		if how != "" {
			how = ", " + how
		}
		var told [2]story
		for i, which := range []string{"the first time", "the second time"} {
			v.How = which + how
			journal := NewJournal()
			j.Rerun(v, journal)
			told[i] = plainStory(v, journal)
		}
		if at := firstOther(told[0].lines, told[1].lines); at >= 0 {
			for i := range told {
				if s := &told[i]; at < len(s.lines) {
					s.marked, s.mark, s.end = at, "← not in the other run", s.lines[at].event
					f.At, f.Time = s.Number(s.end), time.Duration(s.lines[at].now)
				}
			}
			told[0].cut(int64(f.Time))
			told[1].cut(int64(f.Time))
			return told[:]
		}
	}
	return nil
}

// firstOther returns the first line in which two journals differ; -1 if none does.
func firstOther(a, b []line) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// difference writes how two runs differ.
func (a *Account) difference(b *strings.Builder) {
	f := a.Failure
	if f == nil || f.Outputs == nil || a.stories == nil {
		return
	}
	at := judge.Parting(f.Outputs[0], f.Outputs[1])
	fmt.Fprintf(b, "It was run in two ways, in which connection %d should get the same. It sends %s,\nand what it gets differs from byte %d on:\n\n", f.Conn, judge.Brief(a.stories[1].sent), at)
	table(b, "  ", func(row func(...string)) {
		row("", "bytes", "alike", "from there on")
		for i, out := range f.Outputs {
			rest := "nothing"
			if at < len(out) {
				rest = judge.Brief(out[at:])
			}
			row(f.Runs[i].How, fmt.Sprint(len(out)), tail(out[:at]), rest)
		}
	})
	b.WriteString("\n")
}

// tail returns the end of bytes, for people.
func tail(b []byte) string {
	const most = 16
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("…%q", b[len(b)-most:])
}

var _ sim.Observer = (*Journal)(nil)
