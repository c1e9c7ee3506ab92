package drivertest

import (
	"fmt"
	"slices"
	"strings"
)

// Table prints a line a backend, with a mark a case: + for one that ran, - for
// one that was skipped, a blank for one that nobody asked for. Below are the
// cases that were skipped, and why; the reasons stand once where backends share
// them.
func Table(reports ...Report) string {
	var b strings.Builder
	width := 0
	for _, r := range reports {
		width = max(width, len(r.Backend))
	}
	fmt.Fprintf(&b, "%*s %s\n", -width, "", strings.TrimRight(ruler(), " "))
	for _, r := range reports {
		fmt.Fprintf(&b, "%*s %s\n", -width, r.Backend, strings.TrimRight(r.marks(), " "))
	}
	for _, c := range all() {
		c.reasons(&b, reports)
	}
	return b.String()
}

// ruler has the number of every fifth case end above its mark.
func ruler() string {
	var b strings.Builder
	for n := 5; n <= len(all()); n += 5 {
		fmt.Fprintf(&b, "%5d", n)
	}
	return b.String()
}

// marks are r's, in the order of the cases.
func (r Report) marks() string {
	var b strings.Builder
	for _, c := range all() {
		switch {
		case r.Ran[c.number]:
			b.WriteByte('+')
		case r.Skipped[c.number] != "":
			b.WriteByte('-')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// reasons prints why c was skipped.
func (c aCase) reasons(b *strings.Builder, reports []Report) {
	for i, r := range reports {
		why, ok := r.Skipped[c.number]
		if !ok || slices.ContainsFunc(reports[:i], func(p Report) bool { return p.Skipped[c.number] == why }) {
			continue
		}
		var who []string
		for _, s := range reports[i:] {
			if s.Skipped[c.number] == why {
				who = append(who, s.Backend)
			}
		}
		fmt.Fprintf(b, "%2d %s: %s: %s\n", c.number, c.name, strings.Join(who, ", "), why)
	}
}
