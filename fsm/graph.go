package fsm

import (
	"slices"
	"strings"
)

// Drawing is what a diagram shows in addition to the table.
type Drawing struct {
	Ports []string // names of ports 0, 1, ...; a port without a name is shown by its number

	// Coverage, if not nil, says how often each edge was taken. It does not say why, so
	// the label of an arrow then has all reasons for what the arrow counts: also those
	// from row Any, and "returned" if the arrow leads to Stop, as every handler may
	// return that.
	Coverage *Coverage
}

// graph is a diagram that is not yet written in a notation. Its nodes are in the order
// of states, row Any first; its arrows are in the order of the states that they leave.
//
// Row Any is a node of its own, so its edges are drawn once and not for every state.
type graph struct {
	covered bool
	nodes   []node
	arrows  []arrow
}

type node struct {
	state State
	title string
	lines []string // the events that it waits for
	hits  uint64   // how often it was entered
}

// arrow leads from a state, row Any's node or start to a state or Stop.
type arrow struct {
	from, to   State
	label      string
	hits       uint64
	undeclared bool
}

// initial is the node where machines start.
const initial = Pass - 1

// never reports whether to show that hits is 0.
func (g *graph) never(hits uint64) bool { return g.covered && hits == 0 }

func newGraph(t Plain, start State, d Drawing) *graph {
	g := &graph{covered: d.Coverage != nil}
	g.arrows = append(g.arrows, arrow{from: initial, to: or(start, First)})
	for s := range t {
		edges := t.ownEdges(State(s))
		if g.covered {
			edges = t.countedEdges(edges)
		}
		for _, e := range edges {
			g.arrows = append(g.arrows, arrow{from: e.From, to: e.To, label: e.Why})
		}
		if n := t.node(State(s), d); s != int(Any) || n.lines != nil || edges != nil {
			g.nodes = append(g.nodes, n)
		}
	}
	if g.covered {
		g.count(t, d.Coverage)
	}
	return g
}

func (t Table[M, C, Msg]) node(s State, d Drawing) node {
	r := &t[s]
	n := node{state: s, title: t.NameOf(s)}
	if s == Any {
		n.title = "any state"
	}
	if r.Wait != 0 {
		n.lines = strings.Split(r.Wait.Text(d.Ports), ", ")
	}
	if events := r.events(); events != nil {
		n.lines = append(n.lines, strings.Join(events, "|"))
	}
	if r.Defer {
		n.lines = append(n.lines, "defers messages")
	}
	if d.Coverage != nil && s != Any {
		n.hits = d.Coverage.Entered(s)
	}
	return n
}

// countedEdges returns those of a row's own edges that have an arrow if arrows show
// counts, with the reasons for what their arrows count. A state with an own edge to a
// target has its count there, so row Any's edge to that target counts the other states.
// If there are none, row Any's edge is left out.
func (t Table[M, C, Msg]) countedEdges(own []Edge) (all []Edge) {
	for _, e := range own {
		note := ""
		if e.From == Any {
			apart, here := t.users(e.To)
			if !here {
				continue
			}
			if apart {
				note = " (other states)"
			}
		} else if whole, ok := edgeTo(t.effectiveEdges(e.From), e.To); ok {
			e = whole
		}
		if e.To == Stop {
			e.Why += ", returned"
		}
		e.Why += note
		all = append(all, e)
	}
	return all
}

// users reports whether some states have an own edge to a target, and whether others
// have one from row Any only.
func (t Table[M, C, Msg]) users(to State) (own, base bool) {
	for s := First; int(s) < len(t); s++ {
		if _, ok := edgeTo(t.ownEdges(s), to); ok {
			own = true
		} else if _, ok := edgeTo(t.effectiveEdges(s), to); ok {
			base = true
		}
	}
	return own, base
}

func edgeTo(edges []Edge, to State) (Edge, bool) {
	if i := slices.IndexFunc(edges, func(e Edge) bool { return e.To == to }); i >= 0 {
		return edges[i], true
	}
	return Edge{}, false
}

// count adds the hits to the arrows, and adds arrows for edges that have none. If the
// arrow of a declared edge is row Any's, the hits are added there.
func (g *graph) count(t Plain, c *Coverage) {
	at := make(map[[2]State]*arrow)
	for i := range g.arrows {
		at[[2]State{g.arrows[i].from, g.arrows[i].to}] = &g.arrows[i]
	}
	var added []arrow
	for s := range c.taken {
		for column, hits := range c.taken[s] {
			from, to := State(s), State(column)
			if to == Any {
				to = Stop
			}
			if hits == 0 || int(from) >= len(t) || to != Stop && int(to) >= len(t) {
				continue
			}
			declared := from == Any || to == Stop || t.Edges(from).Has(to)
			if from == Any {
				from = initial
			}
			a := at[[2]State{from, to}]
			if a == nil && from != initial && declared {
				a = at[[2]State{Any, to}]
			}
			switch {
			case a != nil:
				a.hits += hits
			case declared:
				added = append(added, arrow{from: from, to: to, label: "returned", hits: hits})
			default:
				added = append(added, arrow{from: from, to: to, label: "undeclared", hits: hits, undeclared: true})
			}
		}
	}
	g.arrows = append(g.arrows, added...)
}

// ownEdges returns the edges that the fields of row s itself declare, one per target.
func (t Table[M, C, Msg]) ownEdges(s State) []Edge {
	r := &t[s]
	exits := r.exits()
	if s == Any {
		for i := range exits {
			if exits[i].why == "within" {
				exits[i].why = "life"
			}
		}
	}
	resolved := t.Resolve(s)
	return mergeEdges(s, r.To, resolved.handlerNames(), exits)
}

// effectiveEdges returns the edges that the resolved row of state s declares, one per
// target. The Stop that Resolve fills in for an empty Fail is not declared.
func (t Table[M, C, Msg]) effectiveEdges(s State) []Edge {
	r := t.Resolve(s)
	r.Fail = or(t[s].Fail, t[Any].Fail)
	return mergeEdges(s, r.To, r.handlerNames(), r.allExits(s, &t[Any]))
}

// mergeEdges returns the edges from s, ordered by target with Stop last. The Why of an
// edge lists handlers, if the target is in to, and all exits that lead there.
func mergeEdges(s State, to States, handlers string, exits []exit) (all []Edge) {
	why := make(map[State][]string)
	targets := to
	to.each(func(x State) { why[x] = append(why[x], handlers) })
	for _, x := range exits {
		why[x.to] = append(why[x.to], x.String())
		targets |= To(x.to)
	}
	targets.each(func(x State) { all = append(all, Edge{s, x, strings.Join(why[x], ", ")}) })
	if why := why[Stop]; why != nil {
		all = append(all, Edge{s, Stop, strings.Join(why, ", ")})
	}
	return all
}

// events returns the names of the row's handlers for events other than readiness.
func (r *Row[M, C, Msg]) events() (all []string) {
	for _, h := range [...]struct {
		name string
		has  bool
	}{{"message", r.OnMessage != nil}, {"timer", r.OnTimer != nil}, {"down", r.OnDown != nil}, {"signal", r.OnSignal != nil}} {
		if h.has {
			all = append(all, h.name)
		}
	}
	return all
}

// handlerNames returns the names of the handlers that may return the states in To, or
// "handler" if there are none or more than two.
func (r *Row[M, C, Msg]) handlerNames() string {
	var all []string
	if r.OnEnter != nil {
		all = append(all, "enter")
	}
	if r.OnReady != nil {
		all = append(all, "ready")
	}
	if all = append(all, r.events()...); len(all) == 0 || len(all) > 2 {
		return "handler"
	}
	return strings.Join(all, "|")
}
