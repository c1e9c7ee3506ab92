package fsm

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stator-go/stator/internal/golden"
)

func TestSVG(t *testing.T) {
	for _, p := range programs() {
		d := Drawing{Ports: p.ports}
		svg := SVG(p.rows, First, d)
		golden.Check(t, p.name+".svg", svg)
		wellFormed(t, svg)
		allDrawn(t, svg, newGraph(p.rows.Plain(), First, d))
	}
}

// wellFormed fails the test if svg is not well-formed XML.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in:\n%s", err, svg)
		}
	}
}

// allDrawn reports an error for each node and each arrow that svg does not show.
func allDrawn(t *testing.T, svg string, g *graph) {
	t.Helper()
	for _, a := range g.arrows {
		if want := fmt.Sprintf(`data-edge="%s %s"`, svgState(a.from), svgState(a.to)); strings.Count(svg, want) != 1 {
			t.Errorf("%s occurs %d times, want once", want, strings.Count(svg, want))
		}
	}
	for _, n := range g.nodes {
		if want := "<title>" + svgText(n.title) + "</title>"; !strings.Contains(svg, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestLayout lays out tables of many sizes. The items of a layer must not overlap and be
// in the order of the layer, and each layer must be below the one before.
func TestLayout(t *testing.T) {
	for n := 1; n < 40; n++ {
		boxes := make([]item, n+2)
		var wires []wire
		for i := range boxes {
			boxes[i] = item{w: float64(20 + i*37%90), h: float64(16 + i*13%50)}
		}
		for i := range n {
			wires = append(wires, wire{from: i, to: i + 1, w: float64(i * 29 % 80), h: 16})
			wires = append(wires, wire{from: i + 1, to: (i*7 + n) % (n + 1), w: 60, h: 16}, wire{from: i, to: n + 1})
		}
		l := newLayout(boxes, wires)
		bottom := 0.0
		for at, layer := range l.layers {
			top, low := bottom, bottom
			for i, x := range layer {
				it := l.items[x]
				low = max(low, it.y+it.h/2)
				if it.layer != at || it.y-it.h/2 < top-1e-6 {
					t.Fatalf("%d boxes: item %d of layer %d begins at %v, want %v or more", n, x, at, it.y-it.h/2, top)
				}
				if i > 0 {
					if b := l.items[layer[i-1]]; b.x+b.w/2+gapAcross > it.x-it.w/2+1 { // positions are rounded
						t.Fatalf("%d boxes: items %d and %d of layer %d are too close", n, layer[i-1], x, at)
					}
				}
			}
			bottom = low + gapDown
		}
		for _, e := range l.wires {
			for i := 1; i < len(e.items); i++ {
				if l.items[e.items[i]].layer != l.items[e.items[i-1]].layer+1 {
					t.Fatalf("%d boxes: the wire from %d to %d skips a layer", n, e.from, e.to)
				}
			}
		}
	}
}
