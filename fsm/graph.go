package fsm

import "strings"

// Drawing says what a diagram shows beside the table.
type Drawing struct {
	Ports    []string  // names of ports 0, 1, ...; without one a port is its number
	Coverage *Coverage // draws how often each edge was taken, and which never was
}

// graph is a diagram before it has a notation: nodes in the order of states, row
// Any first; arrows in the order of the states that they leave.
//
// What row Any says is drawn once, as arrows of a node of its own: it holds for
// every state that says nothing else.
type graph struct {
	covered bool
	nodes   []node
	arrows  []arrow
}

type node struct {
	state State
	title string
	lines []string // what it waits for
	hits  uint64   // how often it was entered
}

// arrow leads from a state, row Any's node or birth to a state or Stop.
type arrow struct {
	from, to   State
	label      string
	hits       uint64
	undeclared bool
}

// birth is where machines come from, in a graph.
const birth = Pass - 1

// never tells whether to show that no machine went this way.
func (g *graph) never(hits uint64) bool { return g.covered && hits == 0 }

func newGraph(t Plain, start State, d Drawing) *graph {
	g := &graph{covered: d.Coverage != nil}
	g.arrows = append(g.arrows, arrow{from: birth, to: or(start, First)})
	for s := range t {
		edges := t.drawn(State(s))
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
		n.lines = append(n.lines, "messages wait")
	}
	if d.Coverage != nil && s != Any {
		n.hits = d.Coverage.Entered(s)
	}
	return n
}

// count puts hits on the arrows, and adds those that the table doesn't have. What a
// state declares and has no arrow of its own for is on row Any's arrow.
func (g *graph) count(t Plain, c *Coverage) {
	at := make(map[[2]State]*arrow)
	for i := range g.arrows {
		at[[2]State{g.arrows[i].from, g.arrows[i].to}] = &g.arrows[i]
	}
	var more []arrow
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
				from = birth
			}
			a := at[[2]State{from, to}]
			if a == nil && from != birth && declared {
				a = at[[2]State{Any, to}]
			}
			switch {
			case a != nil:
				a.hits += hits
			case declared:
				more = append(more, arrow{from: from, to: to, label: "answered", hits: hits})
			default:
				more = append(more, arrow{from: from, to: to, label: "undeclared", hits: hits, undeclared: true})
			}
		}
	}
	g.arrows = append(g.arrows, more...)
}

// drawn is the edges of row s's own fields, each target once.
func (t Table[M, C, Msg]) drawn(s State) []Edge {
	r := &t[s]
	exits := r.exits()
	if s == Any {
		for i := range exits {
			if exits[i].why == "within" {
				exits[i].why = "life"
			}
		}
	}
	effective := t.Resolve(s)
	return merge(s, r.To, effective.answers(), exits)
}

// declared is the edges of state s in effect, each target once. That an error stops
// what says nothing of errors is not declared.
func (t Table[M, C, Msg]) declared(s State) []Edge {
	r := t.Resolve(s)
	r.Fail = or(t[s].Fail, t[Any].Fail)
	return merge(s, r.To, r.answers(), r.ways(s, &t[Any]))
}

// merge lists edges from s, by target, Stop last, with all ways that lead there.
func merge(s State, to States, answers string, exits []exit) (all []Edge) {
	ways := make(map[State][]string)
	targets := to
	to.each(func(x State) { ways[x] = append(ways[x], answers) })
	for _, x := range exits {
		ways[x.to] = append(ways[x.to], x.String())
		targets |= To(x.to)
	}
	targets.each(func(x State) { all = append(all, Edge{s, x, strings.Join(ways[x], ", ")}) })
	if why := ways[Stop]; why != nil {
		all = append(all, Edge{s, Stop, strings.Join(why, ", ")})
	}
	return all
}

// events names the row's handlers of events other than readiness.
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

// answers names the handlers that a row's To is answered by, or "handler" where a
// list of them would say nothing.
func (r *Row[M, C, Msg]) answers() string {
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
