package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table prints what was measured, as Markdown.
type table struct {
	settings
	rows  []*row
	gates []gate
}

func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		fmt.Fprintln(w, "no bug has such a name")
		return
	}
	fmt.Fprintf(w, "`%s`, %s/%s, %d cores\n\n", t.command, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	t.printBugs(w)
	t.printTotals(w)
	if len(t.gates) > 0 {
		fmt.Fprintln(w)
		t.printGates(w)
	}
}

func (t *table) printBugs(w io.Writer) {
	head := []string{"bug", "what is wrong", "reached", "triggered", "found", "events", "CPU s", "shrunk to", "oracle"}
	for _, r := range t.searchers[1:] {
		head = append(head, r.name()+" found", "CPU s")
	}
	lines := [][]string{head}
	for _, r := range t.rows {
		lines = append(lines, r.cells())
	}
	markdown(w, lines, 2)
	for _, r := range t.rows {
		if r.bug.Needs != "" {
			fmt.Fprintf(w, "\nTo find %s it would need %s.\n", r.bug.Name, r.bug.Needs)
		}
	}
	fmt.Fprintln(w)
}

func (r *row) cells() []string {
	name := r.bug.Name
	if r.bug.Bare {
		name += " ○"
	}
	if r.bug.Mutant {
		name += " ⚄"
	}
	n := len(r.guided)
	cells := []string{name, strings.ReplaceAll(r.bug.What, "|", "\\|"),
		of(count(r.guided, func(o outcome) bool { return o.Reached }), n),
		of(count(r.guided, func(o outcome) bool { return o.Triggered }), n),
		of(found(r.guided), n),
		number(median(r.guided, func(o outcome) int { return o.Events })),
		seconds(median(r.guided, func(o outcome) time.Duration { return o.CPU })),
		number(median(r.guided, func(o outcome) int { return o.Shrunk })),
		strings.Join(oracles(r.guided), ", "),
	}
	for _, all := range r.others {
		cells = append(cells, of(found(all), len(all)), seconds(median(all, func(o outcome) time.Duration { return o.CPU })))
	}
	return cells
}

func (t *table) printTotals(w io.Writer) {
	is := func(f func(*row) bool) string { return of(count(t.rows, f), len(t.rows)) }
	fmt.Fprintf(w, "- ○ in a loop written by hand, as the machines of package reactor have no room for the mistake: %s\n"+
		"- ⚄ made blindly: %s\n- made no difference in any search: %s\n\n",
		is(func(r *row) bool { return r.bug.Bare }), is(func(r *row) bool { return r.bug.Mutant }),
		is(func(r *row) bool { return !slices.ContainsFunc(r.guided, func(o outcome) bool { return o.Triggered }) }))
	lines := [][]string{{"search", "bugs found by any seed", "by every seed", "CPU s, sum of the medians", "CPU s of all searches"}}
	lines = append(lines, t.total("package fuzz", func(r *row) []outcome { return r.guided }))
	for i, other := range t.searchers[1:] {
		lines = append(lines, t.total(other.name(), func(r *row) []outcome { return r.others[i] }))
	}
	markdown(w, lines, 1)
}

func (t *table) total(name string, of func(*row) []outcome) []string {
	var sum, all time.Duration
	for _, r := range t.rows {
		for _, o := range of(r) {
			all += o.Spent
		}
		m, _ := median(of(r), func(o outcome) time.Duration { return o.CPU })
		sum += m
	}
	return []string{name,
		fmt.Sprintf("%d of %d", count(t.rows, func(r *row) bool { return found(of(r)) > 0 }), len(t.rows)),
		fmt.Sprintf("%d of %d", count(t.rows, func(r *row) bool { return len(of(r)) > 0 && found(of(r)) == len(of(r)) }), len(t.rows)),
		seconds(sum, true), seconds(all, true)}
}

func (t *table) printGates(w io.Writer) {
	lines := [][]string{{"right server", "runs", "events", "CPU s", "found wrongly"}}
	for _, g := range t.gates {
		if g.runs > 0 {
			lines = append(lines, []string{g.server, number(g.runs, true), number(g.events, true), seconds(g.cpu, true), cmp.Or(g.failure, "nothing")})
		}
	}
	markdown(w, lines, 1)
}

// markdown prints lines as a table. The first columns, text of them, are aligned to the
// left, the others to the right, as numbers.
func markdown(w io.Writer, lines [][]string, text int) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	rule := make([]string, len(widths))
	for i, n := range widths {
		if rule[i] = strings.Repeat("-", n); i >= text {
			rule[i] = rule[i][1:] + ":"
		}
	}
	for i, line := range slices.Insert(lines, 1, rule) {
		for k, cell := range line {
			pad := strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cell))
			if k >= text && i != 1 {
				cell = pad + cell
			} else {
				cell += pad
			}
			fmt.Fprint(w, "| ", cell, " ")
		}
		fmt.Fprintln(w, "|")
	}
}

func of(k, n int) string { return fmt.Sprintf("%d/%d", k, n) }

func number(n int, ok bool) string {
	if !ok {
		return ""
	}
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

func seconds(d time.Duration, ok bool) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}

// oracles returns the oracles that found the bug, the most frequent first.
func oracles(all []outcome) []string {
	times := map[string]int{}
	for _, o := range all {
		if o.Found {
			times[o.Oracle]++
		}
	}
	names := make([]string, 0, len(times))
	for name := range times {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b))
	})
	return names
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, v := range all {
		if is(v) {
			n++
		}
	}
	return n
}
