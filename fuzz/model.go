package fuzz

import (
	"bytes"
	"fmt"
)

// Oracle judges a run.
type Oracle interface {
	title() string
	// conn judges what a connection sent and got: in whole, or what came until it ended.
	conn(sent, got []byte, whole bool) string
	// all judges all connections of a run together, if remembers says so; not decided:
	// it would take too long.
	all([]life) (text string, decided bool)
	remembers() bool
}

// Model is a reference: a state, how bytes become an input, and what the answer is.
type Model[S, In any] struct {
	New   func() S
	Input func(in []byte) (v In, n int, ok bool) // the first input of in, and its length; not ok: not all of it is there
	Step  func(*S, In) string                    // the output that an input makes

	// For Linear.
	Clone func(S) S            // nil: a copy of the value is a copy
	Reply func(out []byte) int // the length of the first answer in out; 0: not all of it is there
}

// PerConn compares what each connection gets with a model of its own. A connection
// that ends early may get less.
func PerConn[S, In any](name string, m Model[S, In]) Oracle { return perConn[S, In]{name, m} }

type perConn[S, In any] struct {
	name string
	m    Model[S, In]
}

func (p perConn[S, In]) title() string             { return p.name }
func (p perConn[S, In]) remembers() bool           { return false }
func (p perConn[S, In]) all([]life) (string, bool) { return "", true }

func (p perConn[S, In]) conn(sent, got []byte, whole bool) string {
	state := p.m.New()
	for len(sent) > 0 {
		in, n, ok := p.m.Input(sent)
		if !ok {
			break
		}
		sent = sent[n:]
		want := []byte(p.m.Step(&state, in))
		if len(got) < len(want) {
			switch {
			case !bytes.HasPrefix(want, got):
				return fmt.Sprintf("gets %s for %v: want %s", brief(got), shown(in), brief(want))
			case whole:
				return fmt.Sprintf("gets %s for %v, and no more: want %s", brief(got), shown(in), brief(want))
			}
			return ""
		}
		if !bytes.HasPrefix(got, want) {
			return fmt.Sprintf("gets %s for %v: want %s", brief(got[:len(want)]), shown(in), brief(want))
		}
		got = got[len(want):]
	}
	if len(got) > 0 {
		return fmt.Sprintf("gets %s, for nothing that it sent", brief(got))
	}
	return ""
}

// shown is a model's input for people: text is quoted.
func shown(in any) string {
	switch v := in.(type) {
	case string:
		return brief([]byte(v))
	case []byte:
		return brief(v)
	case byte:
		return brief([]byte{v})
	}
	return fmt.Sprint(in)
}
