package judge

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
)

// The search for an order is that of Wing and Gong (Testing and Verifying Concurrent
// Objects, 1993), with the memory of Lowe (Testing for Linearizability, 2017).

// Linear returns an Oracle that compares what all connections together get with one model
// for all.
func Linear[S, In any](title string, m Model[S, In]) Oracle {
	if m.Clone == nil {
		if s := reflect.TypeFor[S](); shares(s) {
			panic(fmt.Sprintf("fuzz: Linear %q: copies of a %v share what is in it: want a Model.Clone", title, s))
		}
		m.Clone = func(s S) S { return s }
	}
	m.check("Linear", title)
	require(m.Reply != nil, "Linear", title, "Model.Reply", "a function that returns the length of the first answer in what a connection got")
	return linearModel[S, In]{named{title}, m}
}

// shares reports whether copies of a value share memory that can change.
func shares(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if shares(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return shares(t.Elem())
	case reflect.Pointer, reflect.UnsafePointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
		return true
	}
	return false
}

const linearSteps = 100_000

type linearModel[S, In any] struct {
	named
	m Model[S, In]
}

func (l linearModel[S, In]) Remembers() bool { return true }

func (l linearModel[S, In]) Lacks(sent, got []byte) bool {
	got = got[min(len(got), len(l.m.Greeting)):]
	for len(sent) > 0 {
		_, n, ok := l.m.first(sent)
		if !ok {
			return false
		}
		sent = sent[n:]
		if n = l.m.Reply(got); n <= 0 || n > len(got) {
			return true
		}
		got = got[n:]
	}
	return false
}

func (l linearModel[S, In]) All(conns []History) (text string, at Stamp, decided bool) {
	h := order[S, In]{m: l.m, steps: linearSteps, tried: make(map[string][]S)}
	for i := range conns {
		if text, at = h.read(&conns[i]); text != "" {
			return text, at, true
		}
	}
	h.done = make([]int, len(h.lines))
	if h.search(l.m.begin()) {
		return "", at, true
	}
	if h.steps == 0 {
		return "", at, false
	}
	h.accuse()
	return h.blame(), h.stuck.shows(), true
}

// operation is an input and its answer.
type operation[In any] struct {
	in       In
	conn     int
	sent     Stamp // the operation cannot have happened before
	answered Stamp // nor after; the end of time without an answer
	answer   []byte
	complete bool
	due      bool // an answer must be there
}

// order is a search for an order of the operations of all connections.
type order[S, In any] struct {
	m     Model[S, In]
	lines [][]operation[In] // by connection, in order
	done  []int             // how many of each line are in order
	tried map[string][]S    // states that led nowhere, by done
	steps int               // that may be taken yet
	free  *operation[In]    // may have any answer; nil: none may
	most  int               // operations in order at once, or, with free, before it
	stuck *operation[In]    // the one that was due then, or free
	want  string            // what the model answers there
}

// read adds the operations of a connection, from what it sent and got.
func (h *order[S, In]) read(l *History) (text string, at Stamp) {
	var line []operation[In]
	sent, got := 0, min(len(l.Got), len(h.m.Greeting))
	if string(l.Got[:got]) != h.m.Greeting[:got] || l.Whole && got < len(h.m.Greeting) {
		return fmt.Sprintf("connection %d gets %s: want %s first", l.Conn, Brief(l.Got), Brief([]byte(h.m.Greeting))), stampAt(l.GotAt, 1)
	}
	for sent < len(l.Sent) {
		in, n, ok := h.m.first(l.Sent[sent:])
		if !ok {
			break
		}
		sent += n
		o := operation[In]{in: in, conn: l.Conn, sent: stampAt(l.SentAt, sent), answered: Stamp{Tick: math.MaxInt}, due: l.Whole}
		if n := h.m.Reply(l.Got[got:]); n > len(l.Got)-got {
			panic(fmt.Sprintf("Model.Reply returned a length of %d for %d bytes", n, len(l.Got)-got))
		} else if n > 0 {
			o.answer, o.complete = l.Got[got:got+n], true
			got += n
			o.answered = stampAt(l.GotAt, got)
		} else {
			o.answer, got = l.Got[got:], len(l.Got)
		}
		line = append(line, o)
	}
	if got < len(l.Got) {
		return fmt.Sprintf("connection %d gets %s, for nothing that it sent", l.Conn, Brief(l.Got[got:])), stampAt(l.GotAt, got+1)
	}
	h.lines = append(h.lines, line)
	return "", at
}

// search looks for an order of the operations that are left, from a state.
func (h *order[S, In]) search(state S) bool {
	limit, over, first := math.MaxInt, true, (*operation[In])(nil)
	for i, line := range h.lines {
		if h.done[i] == len(line) {
			continue
		}
		o := &line[h.done[i]]
		if o.complete || o.due || len(o.answer) > 0 {
			over = false
			if first == nil || o.answered.Tick < limit {
				first = o
			}
		}
		limit = min(limit, o.answered.Tick)
	}
	if over {
		return true
	}
	key := h.key()
	for _, s := range h.tried[key] {
		if reflect.DeepEqual(s, state) {
			return false
		}
	}
	for i, line := range h.lines {
		if h.done[i] == len(line) || line[h.done[i]].sent.Tick > limit {
			continue
		}
		if h.steps == 0 {
			return false
		}
		h.steps--
		o, next := &line[h.done[i]], h.m.Clone(state)
		want := h.m.Step(&next, o.in)
		if h.free == nil && o == first {
			h.note(o, want)
		} else if o == h.free {
			h.most, h.stuck, h.want = h.placed(), o, want
		}
		if o == h.free || o.allows(want) {
			h.done[i]++
			if h.search(next) {
				return true
			}
			h.done[i]--
		}
	}
	h.tried[key] = append(h.tried[key], state)
	return false
}

// allows reports whether the answer that arrived may be this one.
func (o *operation[In]) allows(want string) bool {
	if o.complete || o.due {
		return string(o.answer) == want
	}
	return bytes.HasPrefix([]byte(want), o.answer)
}

func (h *order[S, In]) key() string {
	b := make([]byte, 0, 32)
	for _, n := range h.done {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return string(b)
}

// placed returns how many operations are in order.
func (h *order[S, In]) placed() (n int) {
	for _, done := range h.done {
		n += done
	}
	return n
}

// note records the point at which the search got furthest: of several, the first.
func (h *order[S, In]) note(o *operation[In], want string) {
	if n := h.placed(); h.stuck == nil || n > h.most {
		h.most, h.stuck, h.want = n, o, want
	}
}

// accuse looks for the operation whose answer alone is wrong: there is an order in which all
// others have their answers. If there is none, the one at which the search got furthest
// stays. That one is tried first, then the others as they were answered: a wrong answer
// that was awaited for long lets the search get stuck at another one, which it makes wrong.
func (h *order[S, In]) accuse() {
	suspects := []*operation[In]{h.stuck}
	for _, line := range h.lines {
		for i := range line {
			if o := &line[i]; o != h.stuck && (o.complete || o.due) {
				suspects = append(suspects, o)
			}
		}
	}
	slices.SortStableFunc(suspects[1:], func(a, b *operation[In]) int { return cmp.Compare(a.answered.Tick, b.answered.Tick) })
	steps := linearSteps
	for _, o := range suspects {
		without := order[S, In]{m: h.m, lines: h.lines, done: make([]int, len(h.lines)), tried: make(map[string][]S), steps: steps, free: o}
		if without.search(h.m.begin()) {
			h.most, h.stuck, h.want = without.most, without.stuck, without.want
			return
		}
		steps = without.steps
	}
}

// shows returns when an operation is known to be wrong: when its answer has arrived, or, if
// there is none, when the operation begins.
func (o *operation[In]) shows() Stamp {
	if o.complete {
		return o.answered
	}
	return o.sent
}

// blame returns a text about the operation after which no order was found.
func (h *order[S, In]) blame() string {
	all := 0
	for _, line := range h.lines {
		all += len(line)
	}
	inputs := fmt.Sprintf("the %d inputs", all)
	if all == 1 {
		inputs = "the one input"
	}
	before := fmt.Sprint(h.most)
	if h.most == 0 {
		before = "none"
	}
	o := h.stuck
	answer := "no answer"
	if len(o.answer) > 0 {
		answer = Brief(o.answer)
	}
	return fmt.Sprintf("no order of %s explains that connection %d gets %s for %s, sent in event %d: with %s of them before it, it would get %s",
		inputs, o.conn, answer, shown(o.in), o.sent.Event, before, Brief([]byte(h.want)))
}
