package judge

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
)

// The search for an order is that of Wing and Gong (Testing and Verifying Concurrent
// Objects, 1993), with the memory of Lowe (Testing for Linearizability, 2017). It differs in
// one point: how long an answer is, and so when it arrived, is not known before the model has
// given it.

// Linear returns an Oracle that compares what all connections together get with one model
// for all.
func Linear[S, In any](title string, m Model[S, In]) Oracle {
	m.check("Linear", title)
	if m.Next != nil || m.Push != nil || m.Owes != nil || m.Ends != nil {
		panic(fmt.Sprintf("fuzz: Linear %q: the model has a Next, Push, Owes or Ends, which only PerConn has", title))
	}
	return linearModel[S, In]{named{title}, m, !shares(reflect.TypeFor[S]())}
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
	m     Model[S, In]
	plain bool // copies of a state share nothing
}

func (l linearModel[S, In]) Remembers() bool { return true }

// Conn judges whether a machine ends a connection behind its last input, and no sooner.
func (l linearModel[S, In]) Conn(h *History, fate sim.Fate) (kind, text string) {
	if l.m.Last == nil {
		return "", ""
	}
	over, time := false, patience{}
	for sent := h.Sent; len(sent) > 0 && !over; {
		in, n, ok := l.m.first(sent)
		if !ok {
			break
		}
		if time.passes() {
			return undecided, ""
		}
		sent, over = sent[n:], l.m.Last(in)
	}
	return l.m.judgeOver(over, fate)
}

// Lacks looks for an order that explains what connections got so far, and asks the model
// whether what is not in order has answers behind it.
func (l linearModel[S, In]) Lacks(conns []History) (lacks, passes bool) {
	h := order[S, In]{m: &l.m, plain: l.plain, lax: true}
	for i := range conns {
		if text, _ := h.read(&conns[i]); text != "" {
			return conns[i].Whole, false
		}
	}
	if h.time.passed || !h.decide() {
		return false, false
	}
	lacks = h.short > 0 || h.owes()
	return lacks, !lacks
}

// owes reports whether operations of open connections that are not in order have answers, if
// they come next.
func (h *order[S, In]) owes() bool {
	state := h.last
	for i := range h.lines {
		l := &h.lines[i]
		for ; l.Whole && l.done < len(l.ops); l.done++ {
			o, silent := &l.ops[l.done], false
			if h.m.Steps == nil {
				silent = h.m.Step(&state, o.in, o.sent.at()) == ""
			} else {
				for next, want := range h.m.Steps(state, o.in, l.moment(o)) {
					if want == "" {
						state, silent = next, true
						break
					}
				}
			}
			if !silent {
				return true
			}
		}
	}
	return false
}

func (l linearModel[S, In]) All(conns []History) (text string, at Stamp, decided bool) {
	h := order[S, In]{m: &l.m, plain: l.plain}
	for i := range conns {
		if text, at = h.read(&conns[i]); text != "" {
			return text, at, true
		}
	}
	if !h.time.passed && h.decide() {
		return "", at, true
	}
	late := l.m.Timed && slices.ContainsFunc(conns, func(h History) bool { return h.Disturbed })
	if h.time.passed || h.steps <= 0 || late {
		return "", at, false
	}
	text, at = h.accuse()
	return text, at, true
}

// operation is an input.
type operation[In any] struct {
	in   In
	sent Stamp // it cannot have happened before

	// An answer that the model once gave, and that fits: it begins behind from bytes, and has
	// arrived at tick by. All answers that fit there end there, as none begins with another.
	from, by int
	tried    int // how many answers were compared with what it gets
	seen     int // the tick of what it first seemed to get
}

// line is a connection in an order: its operations, and how far they are in order.
type line[In any] struct {
	*History
	ops  []operation[In]
	done int // operations in order
	got  int // bytes that they got
	next int // the tick of the next byte: see setNext
}

// order is a search for an order of the operations of all connections.
type order[S, In any] struct {
	m      *Model[S, In]
	plain  bool
	lines  []line[In]
	path   []int          // the lines of the operations in order
	latest int            // the tick when the last of them was sent
	tried  map[string][]S // states that led nowhere, by place
	steps  int            // that may be taken yet
	time   patience

	answers map[string]bool // that the model gave

	late  bool           // those that were answered first are tried first
	lax   bool           // connections need not have all their answers
	short int            // those in order that lack some of their answer
	last  S              // behind the order that was found
	free  *operation[In] // may have any answer; nil: none may
	size  func(l *line[In], want string) []int
	spare *line[In]   // may get more than its answers; nil: none may
	over  []*line[In] // lines that got more than their answers, in some order
	stuck stuck
}

// moment returns when an operation was sent, and had been handled.
func (l *line[In]) moment(o *operation[In]) Moment {
	return Moment{Conn: l.Conn, Time: time.Duration(o.sent.Time), By: l.handled(l.got)}
}

// read adds the operations of a connection.
func (h *order[S, In]) read(c *History) (text string, at Stamp) {
	greeting := min(len(c.Got), len(h.m.Greeting))
	if string(c.Got[:greeting]) != h.m.Greeting[:greeting] || c.Whole && greeting < len(h.m.Greeting) {
		return fmt.Sprintf("connection %d gets %s: want %s first", c.Conn, Brief(c.Got), Brief([]byte(h.m.Greeting))), stampAt(c.GotAt, 1)
	}
	l := line[In]{History: c}
	for sent := 0; sent < len(c.Sent); {
		in, n, ok := h.m.first(c.Sent[sent:])
		if !ok || h.time.passes() {
			break
		}
		sent += n
		l.ops = append(l.ops, operation[In]{in: in, sent: stampAt(c.SentAt, sent), from: -1, seen: math.MaxInt})
		if h.m.lasts(in) {
			break
		}
	}
	if len(l.ops) == 0 && greeting < len(c.Got) {
		return fmt.Sprintf("connection %d gets %s, for nothing that it sent", c.Conn, Brief(c.Got[greeting:])), stampAt(c.GotAt, greeting+1)
	}
	h.lines = append(h.lines, l)
	return "", at
}

// begin prepares a search, or another one.
func (h *order[S, In]) begin() {
	for i := range h.lines {
		l := &h.lines[i]
		l.done, l.got = 0, min(len(l.Got), len(h.m.Greeting))
		l.setNext()
	}
	h.path, h.latest, h.tried = h.path[:0], 0, make(map[string][]S)
	if h.answers == nil {
		h.answers = make(map[string]bool)
	}
}

// decide searches for an order in two ways, as one may take long where the other does not. If
// there is none, and steps are left, no order is possible.
func (h *order[S, In]) decide() (found bool) {
	for _, h.late = range []bool{false, true} {
		h.steps = linearSteps / 2
		if found = h.restart(); found || h.steps > 0 || h.time.passed {
			break
		}
	}
	return found
}

// restart searches for an order from the beginning.
func (h *order[S, In]) restart() bool {
	h.begin()
	return h.search(h.m.begin())
}

// explained reports whether nothing is left that needs an operation. Operations that got no
// answer, as their connection has ended, may have had their effect or not.
func (h *order[S, In]) explained() bool {
	for i := range h.lines {
		if l := &h.lines[i]; l.done < len(l.ops) && (l.Whole && !h.lax || l.got < len(l.Got)) {
			return false
		}
	}
	return true
}

// search looks for an order of the operations that are left, from a state, which it may change.
func (h *order[S, In]) search(state S) bool {
	if h.explained() {
		h.last = state
		return true
	}
	if len(h.tried) > 0 {
		for _, s := range h.tried[h.key()] {
			if reflect.DeepEqual(s, state) {
				return false
			}
		}
	}
	fresh := true
	again := func() S { // the state, also if a step has changed it
		if !fresh && !h.plain {
			return h.replay()
		}
		fresh = false
		return state
	}
	first, answered := h.first()
	for i := first; i >= 0; i = h.after(first, i) {
		l := &h.lines[i]
		o := &l.ops[l.done]
		if o.sent.Tick > h.limit() {
			continue
		}
		if h.steps--; h.steps < 0 || h.time.passes() {
			return false
		}
		if h.m.Steps == nil {
			next := again()
			want := h.m.Step(&next, o.in, o.sent.at())
			if h.try(i, next, want, i == answered, false) {
				return true
			}
			continue
		}
		more := false
		for next, want := range h.m.Steps(state, o.in, l.moment(o)) {
			if h.try(i, next, want, i == answered, more) {
				return true
			}
			more = true
		}
	}
	if h.steps < 0 || h.time.passed {
		return false
	}
	key := h.key()
	h.tried[key] = append(h.tried[key], again())
	return false
}

// after returns the line whose next operation is tried behind that of another line, where one
// line is tried first; -1 if there is none. Those that were sent first are the first, or, late,
// those that were answered first: with a machine that is right, most orders are found at once.
// An operation that got no answer may have had its effect or not, and is tried if the first
// one does not fit.
func (h *order[S, In]) after(first, last int) (best int) {
	best = -1
	for i := range h.lines {
		switch {
		case h.lines[i].done == len(h.lines[i].ops) || i == first:
		case last >= 0 && last != first && !h.before(last, i):
		case best < 0 || h.before(i, best):
			best = i
		}
	}
	return best
}

// before reports whether the next operation of a line is tried before that of another line.
func (h *order[S, In]) before(i, k int) bool {
	a, b := &h.lines[i], &h.lines[k]
	if mute := a.next == math.MaxInt; mute != (b.next == math.MaxInt) {
		return mute
	}
	x, y := a.ops[a.done].sent.Tick, b.ops[b.done].sent.Tick
	if h.late {
		x, y = a.next, b.next
	}
	return x < y || x == y && i < k
}

// first returns the line whose next operation is tried first, and the one whose next byte came
// first.
func (h *order[S, In]) first() (sent, answered int) {
	sent, answered = -1, -1
	for i := range h.lines {
		l := &h.lines[i]
		if l.done == len(l.ops) {
			continue
		}
		if answered < 0 || l.next < h.lines[answered].next {
			answered = i
		}
		if l.next < math.MaxInt && (sent < 0 || h.before(i, sent)) {
			sent = i
		}
	}
	if sent < 0 {
		sent = answered
	}
	return sent, answered
}

// limit returns a tick: what was sent later comes behind an operation that is not in order
// yet, as that one was answered by then.
func (h *order[S, In]) limit() int {
	limit := math.MaxInt
	for i := range h.lines {
		if l := &h.lines[i]; l.done < len(l.ops) {
			if o := &l.ops[l.done]; o != h.free && h.knows(l, o) {
				limit = min(limit, o.by)
			}
		}
	}
	return limit
}

// knows reports whether it is known when the next answer of a line had arrived: it begins with
// one that the model gave before, to whatever operation.
func (h *order[S, In]) knows(l *line[In], o *operation[In]) bool {
	if o.from == l.got {
		return true
	}
	if o.tried == len(h.answers) {
		return false
	}
	o.tried = len(h.answers)
	for n := 1; n <= min(mostAnswer, len(l.Got)-l.got); n++ {
		if h.answers[string(l.Got[l.got:l.got+n])] {
			h.learn(l, o, n)
			return true
		}
	}
	return false
}

// learn notes that the next answer of a line has n bytes.
func (h *order[S, In]) learn(l *line[In], o *operation[In], n int) {
	if by := stampAt(l.GotAt, l.got+n).Tick; o.from != l.got || o.by < by {
		o.from, o.by, o.seen = l.got, by, by
	}
	if n <= mostAnswer && len(h.answers) < mostAnswers && !h.answers[string(l.Got[l.got:l.got+n])] {
		h.answers[string(l.Got[l.got:l.got+n])] = true
	}
}

// Short answers that the model gave are kept, as the same ones come again.
const (
	mostAnswer  = 16 // bytes
	mostAnswers = 64
)

// replay returns the state behind the operations that are in order.
func (h *order[S, In]) replay() S {
	state := h.m.begin()
	for _, i := range h.path {
		h.lines[i].done = 0
	}
	for _, i := range h.path {
		l := &h.lines[i]
		h.m.Step(&state, l.ops[l.done].in, l.ops[l.done].sent.at())
		l.done++
		h.time.passes()
	}
	return state
}

// try puts the next operation of a line in order, if the model's answer is what it gets, and
// searches on.
func (h *order[S, In]) try(i int, next S, want string, first, more bool) bool {
	l := &h.lines[i]
	o := &l.ops[l.done]
	if o == h.free {
		for tries, n := range h.size(l, want) {
			h.stuck = h.sticks(i, n, want)
			if h.put(i, n, next, tries > 0) {
				return true
			}
		}
		return false
	}
	if first && h.free == nil && h.spare == nil {
		h.note(i, want, more)
	}
	n, fits := h.fits(l, o, want)
	if short := l.Whole && n < len(want); fits && short {
		h.short++
		if h.put(i, n, next, false) {
			return true
		}
		h.short--
		return false
	}
	return fits && h.put(i, n, next, false)
}

// fits reports whether an answer is what an operation gets, and how many bytes of it arrived.
// An answer that arrived before something in order was sent does not fit.
func (h *order[S, In]) fits(l *line[In], o *operation[In], want string) (n int, fits bool) {
	rest := l.Got[l.got:]
	o.seen = min(o.seen, l.next)
	switch {
	case want == "":
		return 0, true
	case len(want) > len(rest):
		return len(rest), (!l.Whole || h.lax) && strings.HasPrefix(want, string(rest))
	case string(rest[:len(want)]) != want:
		return 0, false
	}
	h.learn(l, o, len(want))
	return len(want), true
}

// put puts the next operation of a line in order, with n bytes of its answer, and searches on.
func (h *order[S, In]) put(i, n int, state S, used bool) (found bool) {
	l, latest := &h.lines[i], h.latest
	if n > 0 && stampAt(l.GotAt, l.got+n).Tick < latest {
		return false
	}
	next := l.next
	h.latest = max(latest, l.ops[l.done].sent.Tick)
	h.path = append(h.path, i)
	l.done++
	if l.got += n; n > 0 {
		l.setNext()
	}
	if l.done == len(l.ops) && l.got < len(l.Got) && l != h.spare {
		h.over = append(h.over, l)
	} else {
		if used && !h.plain && h.m.Steps == nil {
			state = h.replay()
		}
		found = h.search(state)
	}
	if !found {
		l.done, l.got, l.next = l.done-1, l.got-n, next
		h.path, h.latest = h.path[:len(h.path)-1], latest
	}
	return found
}

// setNext notes when the next byte of a line came: bytes that are due, and bytes that need
// not come, are the last.
func (l *line[In]) setNext() {
	switch {
	case l.got < len(l.Got):
		l.next = stampAt(l.GotAt, l.got+1).Tick
	case l.Whole:
		l.next = math.MaxInt - 1
	default:
		l.next = math.MaxInt
	}
}

// key names how far each line is in order.
func (h *order[S, In]) key() string {
	b := make([]byte, 0, 64)
	for i := range h.lines {
		b = binary.AppendUvarint(b, uint64(h.lines[i].done))
		b = binary.AppendUvarint(b, uint64(h.lines[i].got))
	}
	return string(b)
}
