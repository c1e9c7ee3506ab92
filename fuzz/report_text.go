package fuzz

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/stator-go/stator/fsm"
)

// Text is the report for terminals and for comparing: the line that begins with
// "time" is the only one that differs between runs of one seed.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fuzz report: %s\n\n", r.Name)
	table(&b, "", func(row func(...string)) {
		for _, f := range r.facts() {
			row(f.name, oneLine(f.value))
		}
		row("time", r.timing())
	})
	for i := range r.kinds {
		r.kinds[i].text(&b)
	}
	r.faultsText(&b)
	b.WriteString("\n# Coverage\n\n")
	table(&b, "  ", func(row func(...string)) {
		row("after run", "edges", "features")
		for _, s := range r.tally.milestones() {
			row(thousands(uint64(s.run)), fmt.Sprint(s.edges), thousands(uint64(s.features)))
		}
	})
	if r.found.Failure != nil {
		fmt.Fprintf(&b, "\n# Failure\n\n%s", r.found.Explain())
	}
	return b.String()
}

func (k *kindReport) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n# Kind %s\n\nEvents by state (· not declared, never: declared and not seen, !: not declared and seen)\n\n", k.kind.Name())
	shown := k.columns()
	table(b, "  ", func(row func(...string)) {
		head := []string{"state"}
		for _, c := range shown {
			head = append(head, string(causes[c]))
		}
		row(head...)
		for _, s := range k.states() {
			cells := []string{k.stateName(s)}
			for _, c := range shown {
				n, st := k.cell(s, c)
				cells = append(cells, count(n, st))
			}
			row(cells...)
		}
	})
	b.WriteString("\nEdges, and the shortest trace to each\n\n")
	table(b, "  ", func(row func(...string)) {
		row("from", "to", "taken", "by", "first run", "trace")
		for _, e := range k.edges() {
			first, steps := "", []string{""}
			if e.moveTally != nil {
				first, steps = thousands(uint64(e.first)), e.way.steps()
			}
			row(k.stateName(e.from), k.kind.StateName(e.to), count(e.hits, e.status), e.causes(), first, steps[0])
			for _, s := range steps[1:] {
				row("", "", "", "", "", s)
			}
		}
	})
	k.faultsText(b)
}

// columns are the causes that some state declares or saw.
func (k *kindReport) columns() (all []int) {
	for c := range causes {
		for _, s := range k.states() {
			if _, st := k.cell(s, c); st != nothing {
				all = append(all, c)
				break
			}
		}
	}
	return all
}

// count is a number with what is to be thought of it.
func count(n uint64, s status) string {
	switch s {
	case nothing:
		return "·"
	case never:
		return "never"
	case undeclared:
		return "! " + thousands(n)
	}
	return thousands(n)
}

// faultsText shows the faults that met machines of a kind.
func (k *kindReport) faultsText(b *strings.Builder) {
	all := k.faulty()
	if all == nil {
		return
	}
	b.WriteString("\nFaults that met its machines, by state\n\n")
	table(b, "  ", func(row func(...string)) {
		head := []string{"fault"}
		for s := fsm.First; int(s) < len(k.table); s++ {
			head = append(head, k.stateName(s))
		}
		row(head...)
		for _, op := range all {
			cells := []string{ops[op].name}
			for s := fsm.First; int(s) < len(k.table); s++ {
				cells = append(cells, count(k.faults[op][s], judged(false, true, k.faults[op][s])))
			}
			row(cells...)
		}
	})
}

// faulty are the faults that met machines of a kind.
func (k *kindReport) faulty() (all []Op) {
	for op := range opCount {
		for _, n := range k.faults[op] {
			if n > 0 {
				all = append(all, op)
				break
			}
		}
	}
	return all
}

func (r *Report) faultsText(b *strings.Builder) {
	b.WriteString("\n# Faults\n\n")
	table(b, "  ", func(row func(...string)) {
		row("fault", "times", "met a machine")
		for op := range opCount {
			if ops[op].fault {
				met := "·"
				if ops[op].on == onConn {
					met = thousands(r.met(op))
				}
				row(ops[op].name, thousands(r.tally.faults[op]), met)
			}
		}
	})
}

// met is how often a fault met a machine.
func (r *Report) met(op Op) (n uint64) {
	for _, k := range r.kinds {
		for _, hits := range k.faults[op] {
			n += hits
		}
	}
	return n
}

// milestones are samples at some ten steps, the last one always.
func (t *tally) milestones() (all []sample) {
	next := 1
	for i, s := range t.curve {
		if s.run >= next || i == len(t.curve)-1 {
			all = append(all, s)
			for next <= s.run {
				next *= 2
			}
		}
	}
	return all
}

// table writes rows in columns.
func table(b *strings.Builder, indent string, rows func(row func(...string))) {
	var lines strings.Builder
	w := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	rows(func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) })
	w.Flush()
	for line := range strings.Lines(lines.String()) {
		b.WriteString(strings.TrimRight(indent+line, " \n") + "\n")
	}
}

// oneLine is a text without line ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
