package fsm

import (
	"testing"

	"github.com/stator-go/stator/internal/golden"
)

func TestDiagrams(t *testing.T) {
	for _, p := range programs() {
		d := Drawing{Ports: p.ports}
		golden.Check(t, p.name+".mmd", Mermaid(p.rows, First, d))
		golden.Check(t, p.name+".dot", DOT(p.rows, First, d))
	}
}

// TestCoveredDiagrams draws counts on a row's own edges and on row Any's, a Stop that a
// handler returned, a start in another state, edges that were never taken, and an
// undeclared edge.
func TestCoveredDiagrams(t *testing.T) {
	c := new(Coverage)
	count := func(n int, from, to State) {
		for range n {
			c.Count(from, to)
		}
	}
	count(120, Any, 1)
	count(1, Any, 4)
	count(110, 1, 2)
	count(12, 1, 4) // declared by its own deadline and row Any's Fail
	count(90, 2, 3)
	count(4, 3, 4) // declared by row Any's Fail only
	count(30, 3, Stop)
	count(2, 3, 1) // undeclared
	for _, p := range programs() {
		if p.name == "mqtt" {
			d := Drawing{Ports: p.ports, Coverage: c}
			golden.Check(t, "covered.mmd", Mermaid(p.rows, 0, d))
			golden.Check(t, "covered.dot", DOT(p.rows, 0, d))
			golden.Check(t, "covered.svg", SVG(p.rows, 0, d))
			allDrawn(t, SVG(p.rows, 0, d), newGraph(p.rows.Plain(), 0, d))
		}
	}
}

// TestDiagramNames draws names that have a meaning in one of the notations.
func TestDiagramNames(t *testing.T) {
	rows := table{
		{},
		{Name: "end", Wait: port0.Readable(), To: To(2)},
		{Name: `a "b": c;` + "\n{d} #e", Defer: true, To: To(3)},
		{Name: "End", To: To(4)},
		{Name: "two words", To: To(5)},
		{Name: "two_words", To: To(6)},
		{Name: "any", To: To(7)},
		{Name: "", Fail: Stop},
	}
	d := Drawing{Ports: []string{`p"q`}}
	golden.Check(t, "names.mmd", Mermaid(rows, 2, d))
	golden.Check(t, "names.dot", DOT(rows, 2, d))
	golden.Check(t, "names.svg", SVG(rows, 2, d))
	wellFormed(t, SVG(rows, 2, d))
}
