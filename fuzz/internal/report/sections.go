package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
)

// Both forms of a report show the same sections: grids of entries, and pictures where
// there can be any.
type section struct {
	title   string
	picture string // svg
	grids   []grid
}

type grid struct {
	title string
	head  []string
	rows  [][]entry
}

// entry is text, perhaps on several lines, with whether it is as declared.
type entry struct {
	text   string
	status status
	count  uint64 // of something that happens more often here than there
}

func textEntry(s string) entry { return entry{text: s, status: happened} }

// countEntry returns a number, with whether it is as declared.
func countEntry(n uint64, s status) entry {
	c := entry{Thousands(n), s, n}
	switch s {
	case nothing:
		c.text = "·"
	case never:
		c.text = "never"
	case undeclared:
		c.text = "! " + c.text
	}
	return c
}

// legend explains what countEntry returns.
const legend = "·: not declared, never: declared and not seen, !: seen and not declared"

func (r *Report) sections() (all []section) {
	for i := range r.kinds {
		k := &r.kinds[i]
		d := fsm.Drawing{Ports: k.kind.Options().Ports, Coverage: &k.cover}
		all = append(all, section{
			title:   "Kind " + k.kind.Name(),
			picture: fsm.SVG(k.table, k.kind.Options().Start, d),
			grids:   []grid{k.events(), k.reached(), k.transitions(), k.met()},
		})
	}
	if r.claims != nil {
		all = append(all, section{title: "Probes", grids: []grid{r.probes()}})
	}
	return append(all, section{title: "Faults", grids: []grid{r.faults()}},
		section{title: "Coverage over time", picture: r.tally.chart(), grids: []grid{r.tally.steps()}})
}

// probes returns the conditions given to Sometimes, and the highest of each marked value.
func (r *Report) probes() grid {
	g := grid{title: "What probes told of", head: []string{"name", "sometimes", "highest"}}
	for _, c := range r.claims {
		row := []entry{textEntry(c.Name), countEntry(0, nothing), countEntry(0, nothing)}
		if c.Sometimes {
			if row[1] = countEntry(0, never); c.Seen {
				row[1] = textEntry("seen")
			}
		}
		if c.High != math.MinInt {
			row[2] = textEntry(fmt.Sprint(c.High))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// events returns the events that the machines of a kind got, by state.
func (k *kindReport) events() grid {
	g := grid{title: "Events by state (" + legend + ")", head: []string{"state"}}
	var shown []int
	for c := range causes {
		for _, s := range k.states() {
			if _, st := k.cell(s, c); st != nothing {
				shown = append(shown, c)
				g.head = append(g.head, string(causes[c]))
				break
			}
		}
	}
	for _, s := range k.states() {
		row := []entry{textEntry(k.stateName(s))}
		for _, c := range shown {
			row = append(row, countEntry(k.cell(s, c)))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// reached returns a kind's states, each with a trace that reaches it.
func (k *kindReport) reached() grid {
	g := grid{title: "States, and the shortest trace that was seen to reach each", head: []string{"state", "entered", "trace"}}
	for s := fsm.First; int(s) < len(k.table); s++ {
		best := ""
		cost := math.MaxInt
		for at, m := range k.moves {
			// Of two alike it is the first in words, as a map has no order.
			if c, text := m.way.cost(), m.way.String(); at[1] == s && (c < cost || c == cost && text < best) {
				best, cost = text, c
			}
		}
		n := k.cover.Entered(s)
		g.rows = append(g.rows, []entry{textEntry(k.stateName(s)), countEntry(n, judged(true, true, n)), textEntry(best)})
	}
	return g
}

// transitions returns a kind's edges, each with what made machines take it, and a trace
// in which one does.
func (k *kindReport) transitions() grid {
	g := grid{title: "Edges, and the shortest trace that was seen to take each", head: []string{"from", "to", "taken", "by", "first run", "trace"}}
	for _, e := range k.edges() {
		row := []entry{textEntry(k.stateName(e.from)), textEntry(k.kind.StateName(e.to)), countEntry(e.hits, e.status), textEntry(e.causes()), {}, {}}
		if e.moveTally != nil {
			row[4], row[5] = textEntry(Thousands(uint64(e.first))), textEntry(e.way.String())
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// met returns the faults that struck machines of a kind.
func (k *kindReport) met() grid {
	g := grid{title: "Faults that struck its machines, by state", head: []string{"fault"}}
	for s := fsm.First; int(s) < len(k.table); s++ {
		g.head = append(g.head, k.stateName(s))
	}
	for op := range trace.NumOps {
		row, sum := []entry{textEntry(op.String())}, uint64(0)
		for s := fsm.First; int(s) < len(k.table); s++ {
			n := k.faults[op][s]
			row = append(row, countEntry(n, judged(false, true, n)))
			sum += n
		}
		if sum > 0 {
			g.rows = append(g.rows, row)
		}
	}
	return g
}

// faults returns all faults. Limits hold for whole runs: it is not known whether one was
// reached.
func (r *Report) faults() grid {
	g := grid{title: "Faults: how often traces arm them, and how often they then strike", head: []string{"fault", "of a", "armed", "struck"}}
	for op := range trace.NumOps {
		if !op.IsFault() {
			continue
		}
		of, struck := "loop", countEntry(r.tally.struck[op], judged(true, true, r.tally.struck[op]))
		switch {
		case op.Target() == trace.OnConn:
			of = "connection"
		case op == trace.WorkWaits:
			of = "work"
		case op == trace.Limit, op == trace.Scarce:
			of, struck = "run", countEntry(0, nothing)
		}
		n := r.tally.armed[op]
		g.rows = append(g.rows, []entry{textEntry(op.String()), textEntry(of), countEntry(n, judged(true, true, n)), struck})
	}
	return g
}

// steps returns some points of the curve, at runs that double, and the last.
func (t *Tally) steps() grid {
	g := grid{title: "Edges, and features (edges, two in a row, faults by state, what probes report), seen after so many runs", head: []string{"runs", "edges", "features"}}
	next := 1
	for i, s := range t.curve {
		if s.run >= next || i == len(t.curve)-1 {
			g.rows = append(g.rows, []entry{textEntry(Thousands(uint64(s.run))), textEntry(fmt.Sprint(s.edges)), textEntry(Thousands(uint64(s.features)))})
		}
		for next <= s.run {
			next *= 2
		}
	}
	return g
}

// oneLine returns a text without line ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
