package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/golden"
)

// told returns the account of a run in which lines followed from the events of a trace.
func told(t *testing.T, text string, lines []line) *Account {
	t.Helper()
	tr, err := trace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	j := NewJournal()
	j.lines = lines
	for i := range tr {
		now := int64(time.Hour)
		if at := slices.IndexFunc(lines, func(l line) bool { return l.event > i }); at >= 0 {
			now = lines[at].now
		}
		j.begins = append(j.begins, now)
	}
	return &Account{Failure: &judge.Failure{Oracle: "panic"}, Trace: tr, stories: []story{plainStory(judge.Itself(tr, ""), j)},
		words: wording{dict: trace.Dictionary{"ping\n"}, conns: 2}}
}

// lines returns lines about connection 0, each a text and perhaps bytes after a tab. They are
// a millisecond apart if the time passes.
func lines(event int, from, each time.Duration, texts ...string) (all []line) {
	for i, text := range texts {
		text, detail, _ := strings.Cut(text, "\t")
		l := line{event: event, now: int64(time.Hour + from + time.Duration(i)*each), conn: 0, who: "echo 0", text: text}
		if detail != "" {
			if l.detail = judge.Brief([]byte(detail)); len(detail) == 1 {
				l.single = detail
			}
		}
		all = append(all, l)
	}
	return all
}

// bytewise returns a text with each byte, after a tab.
func bytewise(text, bytes string) (all []string) {
	for _, b := range bytes {
		all = append(all, text+"\t"+string(b))
	}
	return all
}

// Rows that repeat are folded, in the table and in the diagram: single bytes, equal rows, and
// cycles of rows, which may be apart in time and belong to events of different numbers.
func TestRepeatedRowsFold(t *testing.T) {
	const rounds = 470
	cycles := []line{{event: 1, now: int64(time.Hour), text: "connects"}}
	for i := range rounds {
		cycles = append(cycles, lines(i+2, time.Duration(i)*time.Second, time.Millisecond, "sends\tping\n", "machine reads\tping\n", "machine writes\tpong\n")...)
	}
	for _, c := range []struct {
		name, trace string
		lines       []line
	}{
		{"bytes", "dial 0\nsend 0\n", slices.Concat(
			lines(1, 0, 0, "connects"),
			lines(2, 0, 0, bytewise("sends", strings.Repeat("abc", 20))...),
			lines(2, 0, 2*time.Millisecond, bytewise("machine reads", strings.Repeat("a", 1885))...),
			lines(2, 4*time.Second, 0, "machine reads\tb", "machine writes\tx", "machine writes\ty", "machine writes\tno", "machine closes"))},
		{"rows", "dial 0\nspurious 0\nspurious 0\nspurious 0\nspurious 0\nadvance n=1\n", slices.Concat(
			lines(2, 0, 0, "is said to be readable, and is not"),
			lines(6, 0, 0, "machine writes\tno", "machine writes\tno"),
			lines(6, 0, 3*time.Second, "machine writes\tbye", "machine writes\tbye", "machine writes\tbye"))},
		{"cycles", "dial 0\n" + strings.Repeat("send 0\n", rounds) + "finish 0\n", append(cycles, lines(rounds+2, rounds*time.Second, 0, "half-closes")...)},
		{"runs in cycles", "dial 0\nsend 0\n", slices.Concat(
			lines(1, 0, 0, "connects"),
			lines(2, 0, 0, slices.Concat(slices.Repeat(append(bytewise("sends", "abcd"), "machine reads\tabcd"), 12), []string{"half-closes"})...))},
		{"two rounds", "dial 0\nsend 0\n", lines(2, 0, 0, "sends\ta\n", "machine reads\ta\n", "sends\ta\n", "machine reads\ta\n")},
	} {
		var b strings.Builder
		a := told(t, c.trace, c.lines)
		a.tell(&b, a.stories[0])
		fmt.Fprintf(&b, "%s", a.Mermaid())
		golden.Check(t, "fold_"+strings.ReplaceAll(c.name, " ", "_")+".txt", b.String())
	}
}

// A cycle that is longer than the table is folded before the table is cut, and one that the
// cut leaves open is closed in the diagram.
func TestFoldedRowsAreCut(t *testing.T) {
	var all []line
	for i := range 60 { // rows that do not repeat, up to where the cut is
		all = append(all, lines(1, 0, 0, fmt.Sprintf("does %d", i))...)
		if i == mostSteps/4-3 {
			all = append(all, lines(1, 0, 0, slices.Repeat([]string{"a", "b", "c", "d", "e"}, 5)...)...)
		}
	}
	for i := range 120 {
		all = append(all, lines(1, 0, 0, fmt.Sprintf("does %d again", i))...)
	}
	text := told(t, "dial 0\n", all).Mermaid()
	if begins, ends := strings.Count(text, "    loop 5 times\n"), strings.Count(text, "\n    end\n"); begins != 1 || ends != 1 {
		t.Errorf("%d loops, %d ends in:\n%s", begins, ends, text)
	}
	if strings.Count(text, "rows left out") != 1 {
		t.Errorf("nothing is left out of:\n%s", text)
	}
}
