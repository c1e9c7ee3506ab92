package fsm

import "fmt"

// Edge is a transition that a table declares or that machines took.
type Edge struct {
	From, To State  // To may be Stop
	Why      string // the fields that declare it, or how often it was taken
}

// Coverage counts the transitions of all machines with the same table. It is an array
// of 64 by 64 counters, 32 KiB, so counting takes a few nanoseconds and does not
// allocate. The zero Coverage is empty and ready to use. A Coverage is not safe for
// concurrent use: let each loop have its own, and add them up with Merge.
type Coverage struct {
	taken [Last + 1][Last + 1]uint64 // [from][to]; from Any means start, to Any means Stop
}

// Count adds one transition. A machine starts with a transition from Any and ends with
// one to Stop. Count ignores Stay, Pass and Defer, which are no transitions.
func (c *Coverage) Count(from, to State) {
	if from > Last || to == Stay || to > Last && to != Stop {
		return
	}
	c.taken[from][column(to)]++
}

// column returns the second index of transitions to a state.
func column(to State) State {
	if to == Stop {
		return Any
	}
	return to
}

// Taken returns how often machines went from one state to another.
func (c *Coverage) Taken(from, to State) uint64 {
	if from > Last || to == Stay || to > Last && to != Stop {
		return 0
	}
	return c.taken[from][column(to)]
}

// Entered returns how often machines entered state s, from any state including s, or as
// their first one. Entered(Stop) is the number of machines that ended.
func (c *Coverage) Entered(s State) (n uint64) {
	for from := Any; from <= Last; from++ {
		n += c.Taken(from, s)
	}
	return n
}

// Merge adds the counts of other to c.
func (c *Coverage) Merge(other *Coverage) {
	for from := range c.taken {
		for to := range c.taken[from] {
			c.taken[from][to] += other.taken[from][to]
		}
	}
}

// Missing returns the edges that the table declares and no machine took, ordered by
// state. Their Why names the fields that declare the edge. An edge to Stop is declared
// by a deadline, Fail or Shutdown, of the row or of row Any.
func (t Table[M, C, Msg]) Missing(c *Coverage) (all []Edge) {
	p := t.Plain()
	for s := First; int(s) < len(p); s++ {
		for _, e := range p.effectiveEdges(s) {
			if c.Taken(e.From, e.To) == 0 {
				all = append(all, e)
			}
		}
	}
	return all
}

// Undeclared returns the edges that machines took and the table does not declare. There
// are none if the runtime checks edges. Starts and edges to Stop need no declaration.
func (t Table[M, C, Msg]) Undeclared(c *Coverage) (all []Edge) {
	for from := First; from <= Last; from++ {
		var edges States
		if int(from) < len(t) {
			edges = t.Edges(from)
		}
		for to := First; to <= Last; to++ {
			if n := c.Taken(from, to); n > 0 && !edges.Has(to) {
				all = append(all, Edge{from, to, fmt.Sprintf("taken ×%d", n)})
			}
		}
	}
	return all
}
