package fsm

import (
	"fmt"
	"strings"
)

// Mermaid returns t as a Mermaid state diagram. It shows what each state waits for and
// which fields or handlers declare each edge. The node "any state" is row Any: its edges
// apply to every state that does not override them.
//
// With d.Coverage, labels show counts. Edges that no machine took are labelled "never",
// and states that none entered are dashed.
//
// start is the first state; 0 means First. The same arguments give the same text.
func Mermaid[M, C, Msg any](t Table[M, C, Msg], start State, d Drawing) string {
	g := newGraph(t.Plain(), start, d)
	id := mermaidIDs(g.nodes)
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, n := range g.nodes {
		fmt.Fprintf(&b, "    state \"%s\" as %s\n", mermaidText(n.title), id[n.state])
		for _, line := range n.lines {
			fmt.Fprintf(&b, "    %s : %s\n", id[n.state], mermaidText(line))
		}
		if g.covered && n.state != Any {
			fmt.Fprintf(&b, "    %s : entered ×%d\n", id[n.state], n.hits)
		}
	}
	for _, a := range g.arrows {
		label := a.label
		if g.never(a.hits) {
			label = strings.TrimPrefix(label+", never", ", ")
		} else if g.covered {
			label = strings.TrimSpace(fmt.Sprintf("%s ×%d", label, a.hits))
		}
		fmt.Fprintf(&b, "    %s --> %s", id[a.from], id[a.to])
		if label != "" {
			fmt.Fprintf(&b, " : %s", mermaidText(label))
		}
		b.WriteByte('\n')
	}
	mermaidClass(&b, g, id)
	return b.String()
}

// mermaidClass makes row Any's node, and the nodes that were never entered, dashed.
func mermaidClass(b *strings.Builder, g *graph, id map[State]string) {
	var dashed []string
	for _, n := range g.nodes {
		if n.state == Any || g.never(n.hits) {
			dashed = append(dashed, id[n.state])
		}
	}
	if dashed != nil {
		b.WriteString("    classDef dashed stroke-dasharray: 4 4\n")
		fmt.Fprintf(b, "    class %s dashed\n", strings.Join(dashed, ","))
	}
}

// mermaidIDs returns an identifier for each node: its title if that is an identifier, as
// people read the source too, and otherwise one with its number.
func mermaidIDs(nodes []node) map[State]string {
	id := map[State]string{initial: "[*]", Stop: "[*]"}
	taken := make(map[string]bool)
	for _, word := range strings.Fields("any as choice class classdef click default direction end fork hide href join note scale state style") {
		taken[word] = true
	}
	for _, n := range nodes {
		name := strings.ReplaceAll(n.title, " ", "_")
		if n.state == Any {
			name = "any"
		} else if key := strings.ToLower(name); !isIdent(name) || taken[key] {
			name = fmt.Sprintf("state_%d", n.state)
		}
		taken[strings.ToLower(name)] = true
		id[n.state] = name
	}
	return id
}

// isIdent reports whether name is an identifier in every notation.
func isIdent(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// mermaidText replaces the characters that have a meaning in Mermaid.
var mermaidText = strings.NewReplacer(`"`, "'", ":", ".", ";", ",", "\n", " ", "\r", " ", "{", "(", "}", ")", "#", "no. ", "%%", "%").Replace
