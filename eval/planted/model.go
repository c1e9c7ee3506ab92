package planted

import (
	"fmt"
	"strings"

	"github.com/stator-go/stator/fuzz"
)

// model computes what a server must send, whatever the type of its inputs.
type model interface {
	oracle() fuzz.Oracle
	judge(sent, got []byte, whole bool) string
}

// inputs is a model for one connection, with inputs of type In.
type inputs[S, In any] struct {
	name string
	m    fuzz.Model[S, In]
}

func (i inputs[S, In]) oracle() fuzz.Oracle {
	m := i.m
	m.Input = func(in []byte) (v In, n int, ok bool) {
		judging(func() { v, n, ok = i.m.Input(in) })
		return v, n, ok
	}
	m.Step = func(s *S, in In) (out string) {
		judging(func() { out = i.m.Step(s, in) })
		return out
	}
	return fuzz.PerConn(i.name, m)
}

// judge does the check of fuzz.PerConn without a World.
func (i inputs[S, In]) judge(sent, got []byte, whole bool) string {
	w := ""
	judging(func() { w = i.want(sent) })
	if !strings.HasPrefix(w, string(got)) || whole && len(got) < len(w) {
		return fmt.Sprintf("gets %.200q: want %.200q", got, w)
	}
	return ""
}

// want returns everything that a peer must get for what it sent.
func (i inputs[S, In]) want(sent []byte) string {
	var want strings.Builder
	for state := i.m.New(); len(sent) > 0; {
		in, n, ok := i.m.Input(sent)
		if !ok {
			break
		}
		want.WriteString(i.m.Step(&state, in))
		sent = sent[n:]
	}
	return want.String()
}

// together is one model for all connections together. Without a World it checks nothing.
type together[S, In any] struct {
	name string
	m    fuzz.Model[S, In]
}

func (t together[S, In]) oracle() fuzz.Oracle              { return fuzz.Linear(t.name, t.m) }
func (t together[S, In]) judge(_, _ []byte, _ bool) string { return "" }

// inOrder says that lines of one connection arrive in order at the others. Without a World
// it checks nothing.
type inOrder struct {
	name string
	next func(b []byte) (line string, n int, ok bool)
}

func (o inOrder) oracle() fuzz.Oracle              { return fuzz.Ordered(o.name, o.next) }
func (o inOrder) judge(_, _ []byte, _ bool) string { return "" }
