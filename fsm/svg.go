package fsm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// SVG returns t as a picture with the content that [Mermaid] describes. No other program
// is needed to lay it out: states are placed from top to bottom by their distance from
// the start. With d.Coverage, edges that were taken more often are thicker, edges that
// were never taken and states that were never entered are dashed, and undeclared edges
// are red.
//
// The result is one svg element, for a file or for a part of an HTML page. Its colours
// follow the reader's setting of light or dark.
func SVG[M, C, Msg any](t Table[M, C, Msg], start State, d Drawing) string {
	g := newGraph(t.Plain(), start, d)
	p := picture{g: g, box: make(map[State]int)}
	p.boxes()
	p.wires()
	p.layout = newLayout(p.items, p.lines)
	p.draw()
	return p.b.String()
}

// picture converts a graph to SVG.
type picture struct {
	g      *graph
	box    map[State]int // index in items of a node
	texts  [][]string    // by box; nil for initial and Stop
	items  []item
	lines  []wire     // by arrow
	labels [][]string // by arrow
	loops  []float64  // by box: the width at its right for arrows to itself
	layout *layout
	b      strings.Builder
}

// Sizes in pixels. The letters of monospaced fonts are about 0.6 times as wide as high.
const (
	letter    = 7.3
	textLine  = 16
	padding   = 10
	dot       = 8 // radius of initial and Stop
	loopReach = 26
	margin    = 12
	maxText   = 40 // letters in a line of a box
	maxLabel  = 26 // letters in a line of a label
)

func (p *picture) boxes() {
	add := func(s State, text []string, w, h float64) {
		p.box[s] = len(p.items)
		p.texts = append(p.texts, text)
		p.items = append(p.items, item{w: w, h: h})
	}
	add(initial, nil, 2*dot, 2*dot)
	for _, n := range p.g.nodes {
		text := append([]string{n.title}, n.lines...)
		if p.g.covered && n.state != Any {
			text = append(text, fmt.Sprintf("entered ×%d", n.hits))
		}
		for i := range text {
			text[i] = clip(text[i], maxText)
		}
		add(n.state, text, widest(text)+2*padding, textLine*float64(len(text))+padding)
	}
	add(Stop, nil, 2*dot, 2*dot)
}

func (p *picture) wires() {
	p.loops = make([]float64, len(p.items))
	for _, a := range p.g.arrows {
		label := wrap(a.label, maxLabel)
		if p.g.covered {
			count := "never"
			if a.hits > 0 {
				count = fmt.Sprintf("×%d", a.hits)
			}
			if len(label) > 0 && len([]rune(label[len(label)-1]+count)) < maxLabel {
				label[len(label)-1] += " " + count
			} else {
				label = append(label, count)
			}
		}
		p.labels = append(p.labels, label)
		e := wire{from: p.box[a.from], to: p.box[a.to], w: widest(label), h: textLine * float64(len(label))}
		if e.from == e.to {
			p.loops[e.from] = max(p.loops[e.from], loopReach+4+e.w)
			p.items[e.from].h = max(p.items[e.from].h, e.h)
		}
		p.lines = append(p.lines, e)
	}
	for i := range p.items {
		p.items[i].w += p.loops[i]
	}
}

func (p *picture) draw() {
	l := p.layout
	w, h := l.w+2*margin, l.h+2*margin
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" class="fsm" role="img" width="%.0f" height="%.0f" viewBox="%d %d %.0f %.0f">`+"\n", w, h, -margin, -margin, w, h)
	p.b.WriteString("<title>states and edges</title>\n" + svgStyle)
	for i := range p.g.arrows {
		p.arrow(i)
	}
	for _, n := range p.g.nodes {
		p.node(n)
	}
	at := l.items[p.box[initial]]
	fmt.Fprintf(&p.b, `<circle class="end" cx="%g" cy="%g" r="%d"/>`+"\n", at.x, at.y, dot-2)
	at = l.items[p.box[Stop]]
	fmt.Fprintf(&p.b, `<circle class="ring" cx="%g" cy="%g" r="%d"/><circle class="end" cx="%g" cy="%g" r="%d"/>`+"\n", at.x, at.y, dot, at.x, at.y, dot-4)
	for i := range p.g.arrows {
		p.label(i)
	}
	p.b.WriteString("</svg>\n")
}

// frame returns the centre and the size of a box, without the width for its loops.
func (p *picture) frame(box int) (x, y, w, h float64) {
	i := p.layout.items[box]
	return i.x - p.loops[box]/2, i.y, i.w - p.loops[box], i.h
}

func (p *picture) node(n node) {
	box := p.box[n.state]
	x, y, w, h := p.frame(box)
	class := "state"
	if n.state == Any || p.g.never(n.hits) {
		class += " never"
	}
	fmt.Fprintf(&p.b, `<g class="%s"><title>%s</title><rect x="%g" y="%g" width="%g" height="%g" rx="7"/>`, class, svgText(n.title), x-w/2, y-h/2, w, h)
	top := y - textLine*float64(len(p.texts[box]))/2
	for i, text := range p.texts[box] {
		weight := ""
		if i == 0 {
			weight = ` class="name"`
		}
		fmt.Fprintf(&p.b, `<text%s x="%g" y="%g">%s</text>`, weight, x, top+textLine*float64(i)+12, svgText(text))
	}
	p.b.WriteString("</g>\n")
}

// arrow draws an edge as a curve through its items, vertical where it crosses a layer.
func (p *picture) arrow(i int) {
	a, e := &p.g.arrows[i], &p.layout.wires[i]
	class, width := "edge", 1.2
	switch {
	case a.undeclared:
		class += " undeclared"
	case p.g.never(a.hits):
		class += " never"
	}
	if a.hits > 0 {
		width = min(1.2+0.7*math.Log10(float64(a.hits)), 5)
	}
	fmt.Fprintf(&p.b, `<g class="%s" data-edge="%s %s"><path style="stroke-width:%.1f" d="`, class, svgState(a.from), svgState(a.to), width)
	if e.self {
		p.loop(e.from, width)
	} else {
		p.curve(e, width)
	}
	p.b.WriteString("</g>\n")
}

func (p *picture) loop(box int, width float64) {
	x, y, w, h := p.frame(box)
	x += w / 2
	tip := head(width)
	fmt.Fprintf(&p.b, `M%g %gc%d %g %d %g %g %g"/>`, x, y-h/4, loopReach, -4.0, loopReach, h/2+4, tip, h/2)
	fmt.Fprintf(&p.b, `<polygon points="%g,%g %g,%g %g,%g"/>`, x, y+h/4, x+tip, y+h/4-tip/2, x+tip, y+h/4+tip/2)
}

func (p *picture) curve(e *wire, width float64) {
	tip := head(width)
	points := make([][2]float64, 0, 2*len(e.items))
	for i, x := range e.items {
		at := p.layout.items[x]
		switch {
		case i == 0:
			points = append(points, [2]float64{p.pin(x, e.items[1], true), at.y + at.h/2})
		case i == len(e.items)-1:
			points = append(points, [2]float64{p.pin(x, e.items[i-1], false), at.y - at.h/2})
		default:
			points = append(points, [2]float64{at.x, at.y - at.h/2}, [2]float64{at.x, at.y + at.h/2})
		}
	}
	end, by := &points[len(points)-1], -tip
	if e.reversed {
		end, by = &points[0], tip
	}
	peak := *end
	end[1] += by
	fmt.Fprintf(&p.b, "M%g %g", points[0][0], points[0][1])
	for i, to := range points[1:] {
		half := (points[i][1] + to[1]) / 2
		fmt.Fprintf(&p.b, "C%g %g %g %g %g %g", points[i][0], half, to[0], half, to[0], to[1])
	}
	fmt.Fprintf(&p.b, `"/><polygon points="%g,%g %g,%g %g,%g"/>`, peak[0], peak[1], peak[0]-tip/2, peak[1]+by, peak[0]+tip/2, peak[1]+by)
}

// head returns the length of an arrow's head.
func head(width float64) float64 { return math.Round(6 + 1.5*width) }

// pin returns the x coordinate where a wire meets the lower or upper side of a box. The
// wires of a side are spread over it, in the order of their next items.
func (p *picture) pin(box, next int, below bool) float64 {
	near := slices.Clone(p.layout.items[box].up)
	if below {
		near = slices.Clone(p.layout.items[box].down)
	}
	slices.SortStableFunc(near, func(a, b int) int { return cmp.Compare(p.layout.items[a].x, p.layout.items[b].x) })
	x, _, w, _ := p.frame(box)
	if p.texts[box] == nil {
		return x
	}
	step := min(w/float64(len(near)+1), 60)
	return x + math.Floor(step*(float64(slices.Index(near, next))-float64(len(near)-1)/2))
}

func (p *picture) label(i int) {
	e := &p.layout.wires[i]
	x, y := 0.0, 0.0
	if e.self {
		left, middle, w, _ := p.frame(e.from)
		x, y = left+w/2+loopReach+e.w/2, middle
	} else {
		x, y = p.layout.items[e.label].x, p.layout.items[e.label].y
	}
	for n, text := range p.labels[i] {
		fmt.Fprintf(&p.b, `<text class="label" x="%g" y="%g">%s</text>`, x, y-e.h/2+textLine*float64(n)+12, svgText(text))
	}
	if p.labels[i] != nil {
		p.b.WriteByte('\n')
	}
}

func svgState(s State) string {
	if s == initial {
		return "initial"
	}
	return dotID(s)
}

// clip returns s, shortened to at most limit letters.
func clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

// wrap breaks s at spaces into lines of at most limit letters.
func wrap(s string, limit int) (lines []string) {
	for _, word := range strings.Fields(s) {
		if n := len(lines); n > 0 && utf8.RuneCountInString(lines[n-1])+1+utf8.RuneCountInString(word) <= limit {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, clip(word, limit))
		}
	}
	return lines
}

// widest returns the width of the longest line, rounded up to an even number of pixels so
// that its half is whole.
func widest(lines []string) (w float64) {
	for _, s := range lines {
		w = max(w, letter*float64(utf8.RuneCountInString(s)))
	}
	return 2 * math.Ceil(w/2)
}

// svgText returns s with the characters replaced that XML does not allow in text.
func svgText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, s))
}

const svgStyle = `<style>
svg.fsm { --ink: #24292f; --line: #57606a; --faint: #8c959f; --fill: #f6f8fa; --ground: #ffffff; --wrong: #cf222e; }
@media (prefers-color-scheme: dark) {
svg.fsm { --ink: #e6edf3; --line: #9aa4af; --faint: #6e7681; --fill: #21262d; --ground: #0d1117; --wrong: #ff7b72; }
}
svg.fsm { background: var(--ground); }
.fsm text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--ink); text-anchor: middle; }
.fsm .name { font-weight: bold; }
.fsm .label { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.fsm rect { fill: var(--fill); stroke: var(--line); }
.fsm path { fill: none; stroke: var(--line); }
.fsm polygon { fill: var(--line); }
.fsm .never path, .fsm .never rect { stroke: var(--faint); stroke-dasharray: 5 4; }
.fsm .never polygon { fill: var(--faint); }
.fsm .undeclared path { stroke: var(--wrong); }
.fsm .undeclared polygon { fill: var(--wrong); }
.fsm .end { fill: var(--ink); }
.fsm .ring { fill: none; stroke: var(--ink); }
</style>
`
