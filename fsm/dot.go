package fsm

import (
	"fmt"
	"strings"
)

// DOT returns t as a graph in the language of Graphviz, with the content that [Mermaid]
// describes. With d.Coverage, edges that were taken more often are thicker, edges that
// were never taken and states that were never entered are dashed, and undeclared edges
// are red.
func DOT[M, C, Msg any](t Table[M, C, Msg], start State, d Drawing) string {
	g := newGraph(t.Plain(), start, d)
	var b strings.Builder
	b.WriteString("digraph machine {\n")
	b.WriteString("    rankdir=LR;\n")
	b.WriteString("    node [shape=box, style=rounded];\n")
	b.WriteString("    initial [shape=point, width=0.2];\n")
	b.WriteString("    stop [shape=doublecircle, label=\"\", width=0.15, style=filled, fillcolor=black];\n")
	for _, n := range g.nodes {
		lines := append([]string{n.title}, n.lines...)
		if g.covered && n.state != Any {
			lines = append(lines, fmt.Sprintf("entered ×%d", n.hits))
		}
		fmt.Fprintf(&b, "    %s [label=%s", dotID(n.state), dotText(strings.Join(lines, "\n")))
		if n.state == Any || g.never(n.hits) {
			b.WriteString(`, style="rounded,dashed"`)
		}
		b.WriteString("];\n")
	}
	for _, a := range g.arrows {
		fmt.Fprintf(&b, "    %s -> %s [label=%s%s];\n", dotID(a.from), dotID(a.to), dotLabel(g, &a), dotStyle(g, &a))
	}
	b.WriteString("}\n")
	return b.String()
}

func dotLabel(g *graph, a *arrow) string {
	if g.covered && a.hits > 0 {
		return dotText(strings.TrimSpace(fmt.Sprintf("%s ×%d", a.label, a.hits)))
	}
	return dotText(a.label)
}

func dotStyle(g *graph, a *arrow) string {
	switch {
	case g.never(a.hits):
		return ", style=dashed"
	case a.undeclared:
		return ", color=red"
	case g.covered:
		return fmt.Sprintf(", penwidth=%d", len(fmt.Sprint(a.hits))) // number of digits
	}
	return ""
}

func dotID(s State) string {
	switch s {
	case Any:
		return "any"
	case initial:
		return "initial"
	case Stop:
		return "stop"
	}
	return fmt.Sprintf("state%d", s)
}

// dotText returns s as a quoted label that keeps its line breaks.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", "").Replace(s) + `"`
}
