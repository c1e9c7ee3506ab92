package report

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Text returns the report for terminals, and for comparing: the line that begins with
// "time" is the only one that differs between two searches of one seed.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fuzz report: %s\n\n", r.Name)
	table(&b, "", func(row func(...string)) {
		for _, f := range r.facts() {
			row(f.name, oneLine(f.value))
		}
		row("time", r.timing())
	})
	if r.made.Found != nil {
		fmt.Fprintf(&b, "\n# Failure\n\n%s", r.made.Found.Explain())
	}
	for _, s := range r.sections() {
		fmt.Fprintf(&b, "\n# %s\n", oneLine(s.title))
		for _, g := range s.grids {
			g.text(&b)
		}
	}
	return b.String()
}

func (g *grid) text(b *strings.Builder) {
	if g.rows == nil {
		return
	}
	fmt.Fprintf(b, "\n%s\n\n", g.title)
	table(b, "  ", func(row func(...string)) {
		row(g.head...)
		for _, cells := range g.rows {
			for n, more := 0, true; more; n++ {
				line := make([]string, len(cells))
				more = false
				for i, c := range cells {
					lines := strings.Split(c.text, "\n")
					if n < len(lines) {
						line[i] = oneLine(lines[n])
					}
					more = more || n+1 < len(lines)
				}
				row(line...)
			}
		}
	})
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
