package drivertest

import (
	"fmt"
	"slices"
	"strings"
)

// Table returns a table with a line per backend and a mark per case: + if it ran, - if it was
// skipped, a blank if go test -run excluded it. Below the table are the reasons for the
// skipped cases; a reason that several backends share is printed once.
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

// ruler returns the line above the marks, with the number of every fifth case.
func ruler() string {
	var b strings.Builder
	for n := 5; n <= len(all()); n += 5 {
		fmt.Fprintf(&b, "%5d", n)
	}
	return b.String()
}

// marks returns the marks of r in the order of the cases.
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

// reasons writes the reasons why c was skipped.
func (c testCase) reasons(b *strings.Builder, reports []Report) {
	for i, r := range reports {
		why, ok := r.Skipped[c.number]
		if !ok || slices.ContainsFunc(reports[:i], func(p Report) bool { return p.Skipped[c.number] == why }) {
			continue
		}
		var names []string
		for _, s := range reports[i:] {
			if s.Skipped[c.number] == why {
				names = append(names, s.Backend)
			}
		}
		fmt.Fprintf(b, "%2d %s: %s: %s\n", c.number, c.name, strings.Join(names, ", "), why)
	}
}
