package fsm

import (
	"math/bits"
	"strings"
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

// A count is of all transitions from one state to another, whatever the reason: so no
// arrow is labelled "never" beside one that counts what its label names.
func TestCountsHaveAllReasons(t *testing.T) {
	for _, p := range programs() {
		c, total := new(Coverage), uint64(0)
		for s := First; int(s) < len(p.rows); s++ {
			c.Count(Any, s)
			c.Count(s, Stop)
			p.rows.Edges(s).each(func(to State) { c.Count(s, to) })
			total += 2 + uint64(bits.OnesCount64(uint64(p.rows.Edges(s))))
		}
		hits := uint64(0)
		for _, a := range newGraph(p.rows.Plain(), First, Drawing{Coverage: c}).arrows {
			hits += a.hits
			if a.hits == 0 {
				t.Errorf("%s: the arrow from %v to %v, %q, has no hits: all edges were taken", p.name, a.from, a.to, a.label)
			}
		}
		if hits != total {
			t.Errorf("%s: the arrows have %d hits: want %d", p.name, hits, total)
		}
	}
	c := new(Coverage)
	c.Count(Any, 1)
	c.Count(1, Stop)
	const want = "    [*] --> echoing : ×1\n    echoing --> [*] : idle 1m, stall 10s, shutdown, returned ×1\n"
	if got := Mermaid(programs()[0].rows, First, Drawing{Coverage: c}); !strings.HasSuffix(got, want) {
		t.Errorf("the echo's diagram is\n%swant it to end with\n%s", got, want)
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
