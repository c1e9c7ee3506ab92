package judge

import (
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
)

// Model is fuzz.Model, which documents it.
type Model[S, In any] struct {
	New       func() S
	Input     func(in []byte) (v In, n int, ok bool)
	Step      func(s *S, v In, now time.Duration) string
	Timed     bool // Step depends on the time
	Over      func(S) bool
	Last      func(In) bool
	Greeting  string
	HalfClose bool

	Next  func(s S, in []byte, ended bool) (v In, n int, ok bool)
	Steps func(S, In, Moment) iter.Seq2[S, string]
	Push  func(S, Moment) iter.Seq2[S, string]
	Owes  func(S, Moment) bool
	Ends  func(S, Moment) time.Duration
}

// Moment is fuzz.Moment, which documents it.
type Moment struct {
	Conn  int
	Time  time.Duration
	By    time.Duration
	Begin time.Duration
	Input time.Duration
	Sent  time.Duration
	Got   time.Duration
}

// open reports whether a model needs more than the bytes of a connection, or may answer in
// several ways.
func (m *Model[S, In]) open() bool {
	return m.Timed || m.Next != nil || m.Steps != nil || m.Push != nil || m.Owes != nil || m.Ends != nil
}

// over reports whether the machine is to end a connection: its last input was one after which
// there is no more, or the state says so.
func (m *Model[S, In]) over(state S, last bool) bool {
	return last || m.Over != nil && m.Over(state)
}

// lasts reports whether no input comes behind this one.
func (m *Model[S, In]) lasts(in In) bool { return m.Last != nil && m.Last(in) }

// saysOver reports whether the model says which connections are over.
func (m *Model[S, In]) saysOver() bool { return m.Over != nil || m.Last != nil }

// judgeOver compares whether a connection is over with whether its machine has ended it.
func (m *Model[S, In]) judgeOver(over bool, fate sim.Fate) (kind, text string) {
	by := "Over"
	if m.Over == nil {
		by = "Last"
	}
	switch {
	case !m.saysOver():
	case fate == sim.Quit && !over:
		return "ends", "its machine has ended it by itself: the model's " + by + " says that it is not over"
	case fate == sim.Open && over:
		return "ends", "is still open: the model's " + by + " says that its machine is to end it"
	}
	return "", ""
}

// check panics if a function that every model needs is nil.
func (m *Model[S, In]) check(oracle, title string) {
	require(m.Input != nil || m.Next != nil, oracle, title, "Model.Input", "a function that returns the first input of what a connection sent")
	require(m.Step != nil || m.Steps != nil, oracle, title, "Model.Step", "a function that returns the answer to an input")
}

// require panics if something that an oracle needs is nil: if it is called much later, in a
// run, nothing leads from there to the mistake.
func require(there bool, oracle, title, what, want string) {
	if !there {
		panic(fmt.Sprintf("fuzz: %s %q: %s is nil: want %s", oracle, title, what, want))
	}
}

// first returns the first input of in. It panics if the model returns a length that is not
// possible.
func (m *Model[S, In]) first(in []byte) (v In, n int, ok bool) {
	if v, n, ok = m.Input(in); ok && (n < 1 || n > len(in)) {
		panic(fmt.Sprintf("Model.Input returned a length of %d for %d bytes", n, len(in)))
	}
	return v, n, ok
}

// begin returns the state that a model begins in.
func (m *Model[S, In]) begin() (state S) {
	if m.New != nil {
		state = m.New()
	}
	return state
}

// PerConn returns an Oracle that compares what each connection gets with a model of its
// own.
func PerConn[S, In any](title string, m Model[S, In]) Oracle {
	m.check("PerConn", title)
	if m.Push != nil && m.Steps == nil && shares(reflect.TypeFor[S]()) {
		panic(fmt.Sprintf("fuzz: PerConn %q: copies of a %v share what is in it: Model.Push needs a Model.Steps that returns new states", title, reflect.TypeFor[S]()))
	}
	return perConn[S, In]{named{title}, m}
}

// A connection of a long Repeat has many inputs. A model that looks at all that is left to
// find one input would take minutes, so it gives up: the connection passes.
const (
	mostTime  = 2 * time.Second
	timeEvery = 1024 // inputs
)

// patience bounds the time that a model takes to judge a run.
type patience struct {
	begin  time.Time
	calls  int
	passed bool
}

// passes is called for each use of the model, and reports whether the time is up.
func (p *patience) passes() bool {
	if p.calls == 0 {
		p.begin = time.Now()
	}
	if p.calls++; p.calls%timeEvery == 0 {
		p.passed = p.passed || time.Since(p.begin) > mostTime
	}
	return p.passed
}

type perConn[S, In any] struct {
	named
	m Model[S, In]
}

// Remembers reports whether the model needs to know when bytes came.
func (p perConn[S, In]) Remembers() bool { return p.m.open() }

// kind is that of its name.
func (p perConn[S, In]) kind() string { return model }

// pushes reports whether machines may send without being asked.
func (p perConn[S, In]) pushes() bool { return p.m.Push != nil }

// Due returns when the machine of an open connection must have ended it; 0: it need not.
func (p perConn[S, In]) Due(h *History) int64 {
	if p.m.Ends == nil || h.Kind == "" {
		return 0
	}
	f := p.m.follow(h, func(*follower[S, In], *view[S]) bool { return false })
	_, last := f.ends(f.rested())
	return last
}

func (p perConn[S, In]) Conn(h *History, fate sim.Fate) (kind, text string) {
	if p.m.open() {
		if kind, text = p.m.judge(h, fate); text != "" && p.m.Timed && h.Disturbed {
			return undecided, ""
		}
		return kind, text
	}
	sent, got := h.Sent, h.Got
	state, inputs, want := p.m.begin(), 0, p.m.Greeting
	begin := time.Now()
	over := false
	for in := *new(In); ; inputs++ {
		have := got[:min(len(got), len(want))]
		if string(have) != want[:len(have)] {
			return "answer", fmt.Sprintf("gets %s for %s: want %s", Brief(got), nth(inputs, in), Brief([]byte(want)))
		}
		if len(have) < len(want) {
			return p.less(got, nth(inputs, in), []byte(want), fate)
		}
		over = over || inputs > 0 && p.m.lasts(in)
		if got = got[len(want):]; len(sent) == 0 || over {
			break
		}
		n, ok := 0, false
		if in, n, ok = p.m.first(sent); !ok {
			break
		}
		sent, want = sent[n:], p.m.Step(&state, in, 0)
		if inputs%timeEvery == timeEvery-1 && time.Since(begin) > mostTime {
			return "", ""
		}
	}
	if len(got) > 0 {
		return "more", fmt.Sprintf("gets %s, for nothing that it sent", Brief(got))
	}
	return p.m.judgeOver(p.m.over(state, over), fate)
}

// less judges an answer that is incomplete.
func (p perConn[S, In]) less(got []byte, in string, want []byte, fate sim.Fate) (kind, text string) {
	switch fate {
	case sim.Open:
		return "answer", fmt.Sprintf("gets %s for %s, and no more: want %s", Brief(got), in, Brief(want))
	case sim.Quit:
		return "ends", fmt.Sprintf("gets %s for %s, and its machine ends, without a reason: want %s", Brief(got), in, Brief(want))
	case sim.Left:
		if p.m.HalfClose {
			return "ends", fmt.Sprintf("gets %s for %s, and its machine ends when the peer has half-closed: want %s", Brief(got), in, Brief(want))
		}
	}
	return "", ""
}

// nth returns the n-th input for a failure's text. What a connection gets before its first
// input is a reply to the connection itself.
func nth(n int, in any) string {
	if n == 0 {
		return "its connection itself"
	}
	text := shown(in)
	if n > 1 {
		text += fmt.Sprintf(", its input %d", n)
	}
	return text
}

// shown returns a model's input for a failure's text: quoted, and cut if it is long.
func shown(in any) string {
	switch v := in.(type) {
	case string:
		return Brief([]byte(v))
	case []byte:
		return Brief(v)
	case byte:
		return Brief([]byte{v})
	}
	const most = 120
	text := fmt.Sprintf("%+v", in)
	cut := text[:min(len(text), most)]
	if strings.ContainsFunc(cut, func(r rune) bool { return !strconv.IsPrint(r) }) {
		cut = strings.Trim(strconv.Quote(cut), `"`)
	}
	if len(text) > most {
		cut += fmt.Sprintf("… %d B", len(text))
	}
	return cut
}

// Brief returns bytes for a failure's text: quoted, and cut if there are many.
func Brief(b []byte) string {
	const most, letters = 48, 50
	n := min(len(b), most)
	for len(fmt.Sprintf("%q", b[:n])) > letters {
		n--
	}
	if n == len(b) {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q… %d B", b[:n], len(b))
}
