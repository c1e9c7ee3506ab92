package fsm_test

import (
	"testing"

	"github.com/stator-go/stator/fsm"
)

// walker moves through three states in a circle, as a connection moves from head to body
// to idle.
type walker struct {
	state fsm.State
	left  int
}

type walkerTable = fsm.Table[walker, *int, struct{}]

const (
	head fsm.State = fsm.First + iota
	body
	tail
)

func (w *walker) head(_ *int, r fsm.Ready) fsm.State { w.left += int(r); return body }
func (w *walker) body(_ *int, r fsm.Ready) fsm.State { w.left -= int(r); return tail }
func (w *walker) tail(*int, fsm.Ready) fsm.State     { return head }

func walkerRows() walkerTable {
	t := walkerTable{
		fsm.Any: {},
		head:    {Name: "head", Wait: 1, OnReady: (*walker).head, To: fsm.To(body)},
		body:    {Name: "body", Wait: 1, OnReady: (*walker).body, To: fsm.To(tail)},
		tail:    {Name: "tail", Wait: 1, OnReady: (*walker).tail, To: fsm.To(head)},
	}
	for s := head; s <= tail; s++ {
		t[s] = t.Resolve(s)
	}
	return t
}

// step makes a transition as a runtime does: it looks up the row, applies its gates,
// calls its handler, checks the edge and changes the state.
//
//go:noinline
func (w *walker) step(t walkerTable, cx *int, ready fsm.Ready) bool {
	row := &t[w.state]
	ready = row.Wait.Deliver(ready, 0)
	if ready == 0 {
		return false
	}
	next := row.OnReady(w, cx, ready)
	if !row.To.Has(next) {
		return next == fsm.Stay
	}
	w.state = next
	return true
}

// switched makes the same transition with a switch statement.
//
//go:noinline
func (w *walker) switched(cx *int, ready fsm.Ready) bool {
	switch w.state {
	case head:
		w.state = w.head(cx, ready)
	case body:
		w.state = w.body(cx, ready)
	case tail:
		w.state = w.tail(cx, ready)
	default:
		return false
	}
	return true
}

func BenchmarkTransition(b *testing.B) {
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		t, w, cx := walkerRows(), &walker{state: head}, new(int)
		for range b.N {
			if !w.step(t, cx, 1) {
				b.Fatal("a declared edge was rejected")
			}
		}
	})
	b.Run("switch", func(b *testing.B) {
		b.ReportAllocs()
		w, cx := &walker{state: head}, new(int)
		for range b.N {
			if !w.switched(cx, 1) {
				b.Fatal("no such state")
			}
		}
	})
}

func TestTransitionAllocatesNothing(t *testing.T) {
	rows, w, cx := walkerRows(), &walker{state: head}, new(int)
	if n := testing.AllocsPerRun(1000, func() { w.step(rows, cx, 1) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	if w.state < head || w.state > tail {
		t.Errorf("state %d, want one of the three", w.state)
	}
}
