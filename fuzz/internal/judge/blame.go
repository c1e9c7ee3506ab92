package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// If no order of operations explains what connections got, one of them is blamed.

// stuck is where a search got furthest.
type stuck struct {
	found    bool
	most     int // operations in order at once
	line, op int // the one that comes next
	got      int // the bytes before its answer
	n        int // the length of what it gets; -1: unknown
	want     []string
}

// sticks returns a place of the search, at which the next operation of a line gets n bytes.
func (h *order[S, In]) sticks(line, n int, want string) stuck {
	l := &h.lines[line]
	return stuck{true, len(h.path), line, l.done, l.got, n, []string{want}}
}

// note records the point at which the search got furthest: of several, the first. If more is
// true, want is one more outcome of the same step as before.
func (h *order[S, In]) note(line int, want string, more bool) {
	s := h.sticks(line, -1, want)
	if !h.stuck.found || s.most > h.stuck.most {
		h.stuck = s
	} else if b := &h.stuck; more && s.most == b.most && s.line == b.line && s.op == b.op && !slices.Contains(b.want, want) {
		b.want = append(b.want, want)
	}
}

// accuse looks for what alone is wrong: there is an order in which all other operations have
// their answers. If there is none, the operation at which the search got furthest stays. That
// one is tried first, then the others as they were answered: a wrong answer that was awaited
// for long lets the search get stuck at another one, which it makes wrong.
func (h *order[S, In]) accuse() (text string, at Stamp) {
	furthest := h.stuck
	h.steps = linearSteps
	over := h.over
	for i := 0; i < len(over); i++ {
		if slices.Contains(over[:i], over[i]) {
			continue
		}
		h.spare = over[i]
		if l := h.spare; h.restart() {
			o := &l.ops[len(l.ops)-1]
			return fmt.Sprintf("connection %d gets %s more than the model answers to all that it sent, up to %s in event %d",
				l.Conn, Brief(l.Got[l.got:]), shown(o.in), o.sent.Event), stampAt(l.GotAt, l.got+1)
		}
	}
	h.spare = nil
	suspects := h.suspects(furthest)
	for _, h.size = range []func(*line[In], string) []int{sizes[In], oddSizes[In]} {
		for _, h.free = range suspects {
			if h.restart() {
				return h.blame()
			}
		}
	}
	h.stuck = furthest
	return h.blame()
}

// suspects returns the operations that may be wrong.
func (h *order[S, In]) suspects(furthest stuck) (all []*operation[In]) {
	first := &h.lines[furthest.line].ops[furthest.op]
	all = append(all, first)
	for _, l := range h.lines {
		for i := range l.ops {
			if o := &l.ops[i]; o != first {
				all = append(all, o)
			}
		}
	}
	slices.SortStableFunc(all[1:], func(a, b *operation[In]) int { return cmp.Compare(a.seen, b.seen) })
	return all
}

// sizes returns how long a wrong answer may be: as long as the right one, or all that came at
// once.
func sizes[In any](l *line[In], want string) (all []int) {
	rest := len(l.Got) - l.got
	if len(want) <= rest && want != "" {
		all = append(all, len(want))
	}
	if n := l.chunk(l.got) - l.got; !slices.Contains(all, n) {
		all = append(all, n)
	}
	return all
}

// oddSizes returns less likely ones: there is none, or it came in several pieces.
func oddSizes[In any](l *line[In], _ string) (all []int) {
	all = append(all, 0)
	for end, pieces := l.chunk(l.got), 0; end < len(l.Got) && pieces < 8; pieces++ {
		end = l.chunk(end)
		all = append(all, end-l.got)
	}
	return all
}

// chunk returns the end of what came at once, behind so many bytes.
func (l *line[In]) chunk(from int) int {
	if from == len(l.Got) {
		return from
	}
	if at := stampAt(l.GotAt, from+1); at.Bytes > 0 {
		return at.Bytes
	}
	return len(l.Got)
}

// blame returns a text about the operation after which no order was found, and when that is
// known to be wrong: when its answer has arrived, or, if there is none, when it begins.
func (h *order[S, In]) blame() (text string, at Stamp) {
	all := 0
	for _, line := range h.lines {
		all += len(line.ops)
	}
	inputs := fmt.Sprintf("the %d inputs", all)
	if all == 1 {
		inputs = "the one input"
	}
	s := &h.stuck
	before := fmt.Sprint(s.most)
	if s.most == 0 {
		before = "none"
	}
	l := &h.lines[s.line]
	o := &l.ops[s.op]
	if s.n < 0 {
		s.n = l.chunk(s.got) - s.got
	}
	answer := "no answer"
	if at = o.sent; s.n > 0 {
		answer = Brief(l.Got[s.got : s.got+s.n])
		if got := stampAt(l.GotAt, s.got+s.n); got.Bytes > 0 {
			at = got
		}
	}
	return fmt.Sprintf("no order of %s explains that connection %d gets %s for %s, sent in event %d: with %s of them before it, it would get %s",
		inputs, l.Conn, answer, shown(o.in), o.sent.Event, before, either(s.want)), at
}

// either returns the outcomes that are possible, for a failure's text.
func either(outcomes []string) string {
	var all []string
	for _, text := range outcomes {
		if text = Brief([]byte(text)); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, " or ")
}
