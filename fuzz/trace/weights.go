package trace

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Weights says how frequent kinds of events are in the traces of a search: 0 switches one off,
// 1 is usual, and with n it is n times as frequent. An Op without an entry is usual. All Ops
// but [Settle] and [Repeat] may have one.
type Weights map[Op]int

// Of returns the weight of an Op.
func (w Weights) Of(op Op) int {
	if n, set := w[op]; set {
		return n
	}
	return 1
}

// Off reports whether an Op is switched off.
func (w Weights) Off(op Op) bool { return len(w) > 0 && w.Of(op) == 0 }

// OffEvent reports whether no trace of a search has an event: its Op is switched off, or, if it
// is an [Abrupt], the Op of what the peer does then.
func (w Weights) OffEvent(e Event) bool {
	if len(w) == 0 {
		return false
	}
	if e.Op == Abrupt {
		return w.Off(Abrupt) || w.Off([]Op{Reset, Close, Finish, Send}[min(int(e.B), AbruptSend)])
	}
	return w.Off(e.Op)
}

// mostWeight is the largest weight: sums of weights do not overflow.
const mostWeight = 1000

// Check returns an error if an entry is for no Op that may have one, or no weight.
func (w Weights) Check() error {
	if len(w) == 0 {
		return nil
	}
	for _, op := range slices.Sorted(maps.Keys(w)) {
		switch {
		case op >= NumOps:
			return fmt.Errorf("no event has the number %d: want one of %s", op, names(Settle, Repeat))
		case op == Settle || op == Repeat:
			return fmt.Errorf("%v has no weight: want one of %s", op, names(Settle, Repeat))
		case w[op] < 0 || w[op] > mostWeight:
			return fmt.Errorf("%v has weight %d: want 0 to %d", op, w[op], mostWeight)
		}
	}
	return nil
}

// names returns the names of the Ops but for some.
func names(without ...Op) string {
	var all []string
	for op := range NumOps {
		if !slices.Contains(without, op) {
			all = append(all, op.String())
		}
	}
	return strings.Join(all, ", ")
}
