package fsm

import "fmt"

// Edge is a transition of a table.
type Edge struct {
	From, To State // To may be Stop
	Why      string
}

// Coverage counts the transitions of one table's machines: 64 by 64 counters, in
// one piece of 32 KiB, so that counting costs a few nanoseconds and no allocation.
// The zero Coverage is empty and ready. One goroutine may use it at a time; loops
// that count each for itself are added up with Merge.
type Coverage struct {
	taken [Last + 1][Last + 1]uint64 // [from][to]: from Any is birth, to Any is Stop
}

// Count notes that a machine went from one state to another. A machine is born
// from Any, and ends with Stop. What is no transition (Stay, Pass, Later) counts
// for nothing.
func (c *Coverage) Count(from, to State) {
	if from > Last || to == Stay || to > Last && to != Stop {
		return
	}
	c.taken[from][column(to)]++
}

// column is where edges to a state are counted.
func column(to State) State {
	if to == Stop {
		return Any
	}
	return to
}

// Taken is how often machines went from one state to another.
func (c *Coverage) Taken(from, to State) uint64 {
	if from > Last || to == Stay || to > Last && to != Stop {
		return 0
	}
	return c.taken[from][column(to)]
}

// Entered is how often machines came into state s, by birth or from any state,
// itself too; of Stop, how many ended.
func (c *Coverage) Entered(s State) (n uint64) {
	for from := Any; from <= Last; from++ {
		n += c.Taken(from, s)
	}
	return n
}

// Merge adds what another has counted.
func (c *Coverage) Merge(other *Coverage) {
	for from := range c.taken {
		for to := range c.taken[from] {
			c.taken[from][to] += other.taken[from][to]
		}
	}
}

// Missing is every edge that the table declares and that no machine took, by state.
// Why names the ways that would lead there. An edge to Stop is declared by a
// deadline, Fail or Shutdown, of the row or of row Any.
func (t Table[M, C, Msg]) Missing(c *Coverage) (all []Edge) {
	p := t.Plain()
	for s := First; int(s) < len(p); s++ {
		for _, e := range p.declared(s) {
			if c.Taken(e.From, e.To) == 0 {
				all = append(all, e)
			}
		}
	}
	return all
}

// Undeclared is every edge that machines took and that the table does not declare:
// a runtime that checks edges never takes one. Births and Stop need no naming.
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
