package report

import (
	"fmt"
	"math"
	"strings"
)

// Sizes of a chart, in pixels.
const (
	chartWide = 380
	chartHigh = 130
	chartLeft = 60 // for numbers
	chartPad  = 26
)

// chart draws how edges and features grew with the runs.
func (t *Tally) chart() string {
	if t.runs == 0 {
		return ""
	}
	var b strings.Builder
	const wide, high = 2 * (chartLeft + chartWide + chartPad), chartHigh + 2*chartPad
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n<title>coverage against runs</title>\n", wide, high, wide, high)
	t.line(&b, chartLeft, "edges", func(s sample) int { return s.edges })
	t.line(&b, 2*chartLeft+chartWide+chartPad, "features", func(s sample) int { return s.features })
	b.WriteString("</svg>\n")
	return b.String()
}

// line draws one number against the runs, which are on a scale of logarithms: most
// is found early.
func (t *Tally) line(b *strings.Builder, left int, name string, of func(sample) int) {
	last := t.curve[len(t.curve)-1]
	most := max(1, of(last))
	width := math.Log10(float64(max(t.runs, 10)))
	x := func(run int) float64 { return float64(left) + chartWide*math.Log10(float64(run))/width }
	y := func(n int) float64 { return chartPad + chartHigh*(1-float64(n)/float64(most)) }
	fmt.Fprintf(b, `<text class="title" x="%d" y="14">%s</text>`+"\n", left, name)
	for _, n := range []int{0, most} {
		fmt.Fprintf(b, `<path class="axis" d="M%d %.1fh%d"/><text class="left" x="%d" y="%.1f">%s</text>`+"\n", left, y(n), chartWide, left-6, y(n)+4, Thousands(uint64(n)))
	}
	for run := 1; run <= t.runs; run *= 10 {
		fmt.Fprintf(b, `<path class="axis" d="M%.1f %d v%d"/><text class="below" x="%.1f" y="%d">%s</text>`+"\n", x(run), chartPad, chartHigh, x(run), chartPad+chartHigh+16, Thousands(uint64(run)))
	}
	first := t.curve[0]
	fmt.Fprintf(b, `<path class="line" d="M%.1f %.1f`, x(first.run), y(of(first)))
	for _, s := range t.curve[1:] {
		fmt.Fprintf(b, "H%.1fV%.1f", x(s.run), y(of(s)))
	}
	fmt.Fprintf(b, `H%.1f"/>`+"\n", x(t.runs))
}
