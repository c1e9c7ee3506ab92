package fuzz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"time"
)

// stamp says when the first bytes of a stream were there: a number that grows with
// all that peers do in a run, the event under way, and the clock.
type stamp struct {
	bytes int
	tick  int
	event int
	now   int64
	line  int // of the journal, where a machine writes them; 0: none
}

// life is a connection that is over, for oracles that look at all of them.
type life struct {
	conn         int
	sent, got    []byte
	sentAt, have []stamp
	whole        bool // it rested open, with all answers due
}

// stampAt finds when so many bytes were there.
func stampAt(stamps []stamp, bytes int) stamp {
	for _, s := range stamps {
		if s.bytes >= bytes {
			return s
		}
	}
	return stamp{tick: math.MaxInt}
}

// mark notes when bytes were sent or got, if an oracle wants to know.
func (w *World) mark(c *conn, stamps []stamp, bytes int) []stamp {
	if !w.spec.remembers {
		return stamps
	}
	w.ticks++
	line := 0
	if w.journal != nil {
		if n := len(w.journal.lines) - 1; n > 0 && w.journal.lines[n].wrote(c.number) {
			line = n
		}
	}
	return append(stamps, stamp{bytes, w.ticks, w.at, w.now, line})
}

// remember keeps what a connection that is over has been.
func (w *World) remember(c *conn) {
	if w.spec.remembers {
		w.lives = append(w.lives, life{c.number, bytes.Clone(c.sent), bytes.Clone(c.got), append([]stamp(nil), c.sentAt...), append([]stamp(nil), c.gotAt...), c.whole})
	}
}

// judgeLives judges all connections of the run together.
func (w *World) judgeLives() {
	for o := range w.oracles() {
		if w.failure == nil {
			if text, at, decided := o.all(w.lives); text != "" {
				w.fail(oracle("L "+o.title()), "%s", text)
				w.failure.kind = "all connections" // what bytes no order explains does not matter
				w.failure.behind(at)
			} else if !decided {
				w.undecided++
			}
		}
	}
}

// behind says that a failure that was found later came at a stamp.
func (f *Failure) behind(at stamp) {
	if at.now > 0 {
		f.At, f.Time, f.during, f.line = at.event, time.Duration(at.now), "", at.line
	}
}

// Linear compares what all connections together get with one model for all: there
// must be an order of their inputs, each between the moment when it was sent and the
// one when its answer was there, in which the model gives each its answer. What has
// no answer when its connection ends may have happened or not.
//
// Inputs of one connection are answered in order, each with one answer, whose length
// Model.Reply finds. The search for an order is that of Wing and Gong (Testing and
// Verifying Concurrent Objects, 1993), with the memory of Lowe (Testing for
// Linearizability, 2017). It takes 100,000 steps of the model at most: a run of which
// it does not know then passes, and is counted in Finding.Undecided.
//
// Model.Clone is needed for a state that has pointers, slices, maps or the like in it:
// Linear panics without.
func Linear[S, In any](name string, m Model[S, In]) Oracle {
	if m.Clone == nil {
		if s := reflect.TypeFor[S](); shares(s) {
			panic(fmt.Sprintf("fuzz: Linear %q: copies of a %v share what is in it: want a Model.Clone", name, s))
		}
		m.Clone = func(s S) S { return s }
	}
	return linear[S, In]{noOracle{name}, m}
}

// shares tells whether copies of a value have something in common that can change.
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

type linear[S, In any] struct {
	noOracle
	m Model[S, In]
}

func (l linear[S, In]) remembers() bool { return true }

func (l linear[S, In]) all(lives []life) (text string, at stamp, decided bool) {
	h := history[S, In]{m: l.m, steps: linearSteps, tried: make(map[string][]S)}
	for i := range lives {
		if text, at = h.read(&lives[i]); text != "" {
			return text, at, true
		}
	}
	h.done = make([]int, len(h.lines))
	if h.order(l.m.begin()) {
		return "", at, true
	}
	if h.steps == 0 {
		return "", at, false
	}
	return h.blame(), h.stuck.shows(), true
}

// operation is an input and what became of it.
type operation[In any] struct {
	in       In
	conn     int
	sent     stamp // before it nothing can have happened
	answered stamp // after it nothing can happen; the end of time without an answer
	answer   []byte
	complete bool
	due      bool // an answer must be there
}

// history is the operations of all connections, and the search for their order.
type history[S, In any] struct {
	m     Model[S, In]
	lines [][]operation[In] // by connection, in order
	done  []int             // how many of each line are in order
	tried map[string][]S    // states that led nowhere, by done
	steps int               // that may be taken yet
	most  int               // operations in order at once
	stuck *operation[In]    // the one that was due then
	want  string
}

// read makes operations of what a connection sent and got.
func (h *history[S, In]) read(l *life) (text string, at stamp) {
	var line []operation[In]
	sent, got := 0, min(len(l.got), len(h.m.Greeting))
	if string(l.got[:got]) != h.m.Greeting[:got] || l.whole && got < len(h.m.Greeting) {
		return fmt.Sprintf("connection %d gets %s: want %s first", l.conn, brief(l.got), brief([]byte(h.m.Greeting))), stampAt(l.have, 1)
	}
	for sent < len(l.sent) {
		in, n, ok := h.m.first(l.sent[sent:])
		if !ok {
			break
		}
		sent += n
		o := operation[In]{in: in, conn: l.conn, sent: stampAt(l.sentAt, sent), answered: stamp{tick: math.MaxInt}, due: l.whole}
		if n := h.m.Reply(l.got[got:]); n > len(l.got)-got {
			panic(fmt.Sprintf("Model.Reply answers a length of %d for %d bytes", n, len(l.got)-got))
		} else if n > 0 {
			o.answer, o.complete = l.got[got:got+n], true
			got += n
			o.answered = stampAt(l.have, got)
		} else {
			o.answer, got = l.got[got:], len(l.got)
		}
		line = append(line, o)
	}
	if got < len(l.got) {
		return fmt.Sprintf("connection %d gets %s, for nothing that it sent", l.conn, brief(l.got[got:])), stampAt(l.have, got+1)
	}
	h.lines = append(h.lines, line)
	return "", at
}

// order looks for an order of what is left, from a state.
func (h *history[S, In]) order(state S) bool {
	limit, over, first := math.MaxInt, true, (*operation[In])(nil)
	for i, line := range h.lines {
		if h.done[i] == len(line) {
			continue
		}
		o := &line[h.done[i]]
		if o.complete || o.due || len(o.answer) > 0 {
			over = false
			if first == nil || o.answered.tick < limit {
				first = o
			}
		}
		limit = min(limit, o.answered.tick)
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
		if h.done[i] == len(line) || line[h.done[i]].sent.tick > limit {
			continue
		}
		if h.steps == 0 {
			return false
		}
		h.steps--
		o, next := &line[h.done[i]], h.m.Clone(state)
		want := h.m.Step(&next, o.in)
		if o == first {
			h.note(o, want)
		}
		if o.allows(want) {
			h.done[i]++
			if h.order(next) {
				return true
			}
			h.done[i]--
		}
	}
	h.tried[key] = append(h.tried[key], state)
	return false
}

// allows tells whether the answer that there is may be this one.
func (o *operation[In]) allows(want string) bool {
	if o.complete || o.due {
		return string(o.answer) == want
	}
	return bytes.HasPrefix([]byte(want), o.answer)
}

func (h *history[S, In]) key() string {
	b := make([]byte, 0, 32)
	for _, n := range h.done {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return string(b)
}

// note notes where the search got furthest.
func (h *history[S, In]) note(o *operation[In], want string) {
	n := 0
	for _, done := range h.done {
		n += done
	}
	if n >= h.most {
		h.most, h.stuck, h.want = n, o, want
	}
}

// shows is when an operation is seen to be wrong: when its answer is there, or, without
// one, when it begins.
func (o *operation[In]) shows() stamp {
	if o.complete {
		return o.answered
	}
	return o.sent
}

// blame tells of the operation behind which no order was found.
func (h *history[S, In]) blame() string {
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
		answer = brief(o.answer)
	}
	return fmt.Sprintf("no order of %s explains that connection %d gets %s for %s, sent in event %d: with %s of them before it, it would get %s",
		inputs, o.conn, answer, shown(o.in), o.sent.event, before, brief([]byte(h.want)))
}
