package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
)

// column describes one figure of a run. For a column with a want the table has the
// ratio, ours over theirs; the others only help to judge the run.
type column struct {
	name     string
	decimals int
	want     string
}

// pair holds one run of each server, with a figure for each column.
type pair struct{ ours, theirs []float64 }

// contest holds the alternating runs of two servers.
type contest struct {
	title        string
	ours, theirs string
	columns      []column
	pairs        []pair
}

// print writes each run, the medians, and the ratios.
func (c *contest) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%s\n\n", c.title)
	row := func(label, server string, cell func(i int) string) {
		fmt.Fprintf(w, "%s\t%s\t", label, server)
		for i := range c.columns {
			fmt.Fprintf(w, "%s\t", cell(i))
		}
		fmt.Fprintln(w)
	}
	figures := func(label, server string, of []float64) {
		row(label, server, func(i int) string {
			return strconv.FormatFloat(of[i], 'f', c.columns[i].decimals, 64)
		})
	}
	row("run", "server", func(i int) string { return c.columns[i].name })
	for i, p := range c.pairs {
		figures(strconv.Itoa(i+1), c.ours, p.ours)
		figures(strconv.Itoa(i+1), c.theirs, p.theirs)
	}
	ours, theirs := c.medians()
	figures("median", c.ours, ours)
	figures("median", c.theirs, theirs)
	if !slices.ContainsFunc(c.columns, func(col column) bool { return col.want != "" }) {
		return w.Flush()
	}
	compared := func(label, server string, cell func(i int) string) {
		row(label, server, func(i int) string {
			if c.columns[i].want == "" {
				return ""
			}
			return cell(i)
		})
	}
	compared("ratio", c.ours+"/"+c.theirs, func(i int) string { return fmt.Sprintf("%.3f", ours[i]/theirs[i]) })
	compared("want", "", func(i int) string { return c.columns[i].want })
	compared("turns", "lowest to highest", func(i int) string {
		low, high := c.ratioRange(i)
		return fmt.Sprintf("%.3f to %.3f", low, high)
	})
	return w.Flush()
}

// medians returns the median of each column, for each server.
func (c *contest) medians() (ours, theirs []float64) {
	for i := range c.columns {
		var a, b []float64
		for _, p := range c.pairs {
			a, b = append(a, p.ours[i]), append(b, p.theirs[i])
		}
		ours, theirs = append(ours, median(a)), append(theirs, median(b))
	}
	return ours, theirs
}

// ratioRange returns the lowest and the highest ratio within one pair.
func (c *contest) ratioRange(column int) (low, high float64) {
	for i, p := range c.pairs {
		ratio := p.ours[column] / p.theirs[column]
		if i == 0 {
			low, high = ratio, ratio
		}
		low, high = min(low, ratio), max(high, ratio)
	}
	return low, high
}

// median returns the middle one of the figures, or the mean of the middle two.
func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
