package fuzz

import (
	"fmt"
	"strconv"
	"strings"
)

// Oracle judges a run.
type Oracle interface {
	title() string
	// conn judges what a connection sent and got; kind is what it finds, but for bytes.
	conn(sent, got []byte, now fate) (kind, text string)
	// all judges all connections of a run together, if remembers says so, and tells when
	// they went wrong; not decided: it would take too long.
	all([]life) (text string, at stamp, decided bool)
	remembers() bool
	// pen judges what a datagram peer sent and got.
	pen(sent, got []string) string
}

// fate is what became of a connection.
type fate uint8

const (
	cutOff fate = iota // it ended for a reason that no model knows: it may have got less
	open               // it is open, and has got all that was on its way
	quit               // its machine ended it by itself, and it has got all that was on its way
	left               // so did it, and the peer had ended its own direction before
)

// noOracle finds nothing: oracles are it but for what they look at.
type noOracle struct{ name string }

func (n noOracle) title() string                                { return n.name }
func (n noOracle) conn(_, _ []byte, _ fate) (kind, text string) { return "", "" }
func (n noOracle) all([]life) (_ string, _ stamp, decided bool) { return "", stamp{}, true }
func (n noOracle) remembers() bool                              { return false }
func (n noOracle) pen(_, _ []string) string                     { return "" }

// Model is a reference: a state, how bytes become an input, and what the answer is.
type Model[S, In any] struct {
	New   func() S                               // nil: the zero value
	Input func(in []byte) (v In, n int, ok bool) // the first input of in, and its length; not ok: not all of it is there
	Step  func(*S, In) string                    // the output that an input makes

	// Over tells, for PerConn, whether a machine is to end the connection in this state:
	// it must then, and not before by itself. nil: it may wherever it owes no answer.
	Over func(S) bool

	// Greeting is what a connection gets before it sends anything.
	Greeting string
	// HalfClose tells PerConn that who has ended its direction is owed its answers yet: a
	// machine that ends by itself then must have given them. Else it need not.
	HalfClose bool

	// For Linear.
	Clone func(S) S            // nil: a copy of the value is a copy, as nothing in it is shared
	Reply func(out []byte) int // the length of the first answer in out; 0: not all of it is there
}

// first is the first input of in. A length that cannot be is a mistake of the model's.
func (m *Model[S, In]) first(in []byte) (v In, n int, ok bool) {
	if v, n, ok = m.Input(in); ok && (n < 1 || n > len(in)) {
		panic(fmt.Sprintf("Model.Input answers a length of %d for %d bytes", n, len(in)))
	}
	return v, n, ok
}

// begin is the state that a model begins in.
func (m *Model[S, In]) begin() (state S) {
	if m.New != nil {
		state = m.New()
	}
	return state
}

// PerConn compares what each connection gets with a model of its own. A connection may
// get less if it ends early, by its peer's doing, a deadline, a message, an error or a
// shutdown. A machine that was given nothing but bytes, and ends by itself, must have
// answered all of them before: so a model has no answers behind a last word.
func PerConn[S, In any](name string, m Model[S, In]) Oracle { return perConn[S, In]{noOracle{name}, m} }

type perConn[S, In any] struct {
	noOracle
	m Model[S, In]
}

func (p perConn[S, In]) conn(sent, got []byte, now fate) (kind, text string) {
	state, inputs, want := p.m.begin(), 0, p.m.Greeting
	for in := *new(In); ; inputs++ {
		have := got[:min(len(got), len(want))]
		if string(have) != want[:len(have)] {
			return "answer", fmt.Sprintf("gets %s for %s: want %s", brief(got), nth(inputs, in), brief([]byte(want)))
		}
		if len(have) < len(want) {
			return p.less(got, nth(inputs, in), []byte(want), now)
		}
		if got = got[len(want):]; len(sent) == 0 {
			break
		}
		n, ok := 0, false
		if in, n, ok = p.m.first(sent); !ok {
			break
		}
		sent, want = sent[n:], p.m.Step(&state, in)
	}
	switch {
	case len(got) > 0:
		return "more", fmt.Sprintf("gets %s, for nothing that it sent", brief(got))
	case p.m.Over == nil:
		return "", ""
	case now == quit && !p.m.Over(state):
		return "ends", "its machine has ended it by itself: the model's Over says that it is not over"
	case now == open && p.m.Over(state):
		return "ends", "is still open: the model's Over says that its machine is to end it"
	}
	return "", ""
}

// less judges an answer that is not all there.
func (p perConn[S, In]) less(got []byte, in string, want []byte, now fate) (kind, text string) {
	switch now {
	case open:
		return "answer", fmt.Sprintf("gets %s for %s, and no more: want %s", brief(got), in, brief(want))
	case quit:
		return "ends", fmt.Sprintf("gets %s for %s, and its machine ends, without a reason: want %s", brief(got), in, brief(want))
	case left:
		if p.m.HalfClose {
			return "ends", fmt.Sprintf("gets %s for %s, and its machine ends when the peer has ended its direction: want %s", brief(got), in, brief(want))
		}
	}
	return "", ""
}

// nth is an input for people, with its number if it is not the first one; before that
// is what needs none.
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

// shown is a model's input for people: text is quoted, and what is long is cut.
func shown(in any) string {
	switch v := in.(type) {
	case string:
		return brief([]byte(v))
	case []byte:
		return brief(v)
	case byte:
		return brief([]byte{v})
	}
	const most = 120
	text := fmt.Sprint(in)
	cut := text[:min(len(text), most)]
	if strings.ContainsFunc(cut, func(r rune) bool { return !strconv.IsPrint(r) }) {
		cut = strings.Trim(strconv.Quote(cut), `"`)
	}
	if len(text) > most {
		cut += fmt.Sprintf("… %d B", len(text))
	}
	return cut
}
