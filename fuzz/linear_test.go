package fuzz

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// cell stores one value on each loop: "=v" sets it, "?" asks for it. The right one is on one
// loop. The lazy one has a copy on each loop: it answers at once and updates the other copy
// afterwards.
type cell struct {
	value  *byte
	copies *[]reactor.Ref[byte]
}

type cellCx = reactor.Context[byte]

func newCell() *reactor.Kind[cell, byte] {
	return reactor.Must(reactor.NewKind("cell", reactor.Options{Ports: []string{"peer"}}, reactor.Table[cell, byte]{
		{Shutdown: fsm.Stop, OnMessage: (*cell).hear},
		{Name: "serving", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*cell).serve, OnEnter: (*cell).join},
	}))
}

func (c *cell) join(cx *cellCx) reactor.State {
	*c.copies = append(*c.copies, cx.Self())
	return fsm.Stay
}

func (c *cell) serve(cx *cellCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	answer := []byte{*c.value}
	switch {
	case in[0] == '?':
		cx.Discard(peer, 1)
	case len(in) < 2:
		return fsm.Stay
	default:
		*c.value, answer = in[1], []byte("k")
		for _, to := range *c.copies {
			to.Post(&cx.IO, in[1])
		}
		cx.Discard(peer, 2)
	}
	return cx.Fail(cx.Write(peer, answer))
}

func (c *cell) hear(_ *cellCx, v *byte) reactor.State {
	*c.value = *v
	return fsm.Stay
}

// cellModel is the model of a cell: a value, and the answers to its two inputs.
var cellModel = Model[byte, string]{
	New: func() byte { return '0' },
	Input: func(in []byte) (string, int, bool) {
		switch {
		case in[0] == '?':
			return "?", 1, true
		case len(in) < 2:
			return "", 0, false
		}
		return string(in[:2]), 2, true
	},
	Step: func(value *byte, in string) string {
		if in == "?" {
			return string([]byte{*value})
		}
		*value = in[1]
		return "k"
	},
}

func cellSpec(loops int) Spec {
	k := newCell()
	return Spec{
		Loops: loops, Dict: []string{"?", "=1", "=2"}, Without: Segmentation | SpuriousEvents, Oracles: []Oracle{Linear("cell", cellModel)},
		Setup: func(w *World) error {
			all := new([]reactor.Ref[byte])
			for i := range w.Loops() {
				value := byte('0')
				c := cell{value: &value, copies: new([]reactor.Ref[byte])}
				if loops > 1 {
					c.copies = all
				}
				if _, err := k.Listen(w.Loop(i), "tcp", []string{":7000", ":7001"}[i], c); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func TestLinear(t *testing.T) {
	t.Parallel()
	if found := Find(cellSpec(1), 1, Budget{Runs: testenv.Pick(400, 1500)}); found.Failure != nil || found.Undecided != 0 {
		t.Errorf("one loop: %v\n%s", found, found.Trace)
	}
	found := Find(cellSpec(2), 1, Budget{Runs: 3000})
	if found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), `linearizability "cell": no order of the `) {
		t.Fatalf("two loops that copy afterwards: %v", found)
	}
	// A dial, a set, a dial to the other loop, which did not get the new value, and a get.
	if len(found.Trace) > 6 {
		t.Errorf("%d events: want 6 at most", len(found.Trace))
	}
	text := found.Explain()
	for _, want := range []string{" of them before it, it would get \"", "\nafter event ", "← this answer"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "1m0.1s") || strings.Contains(text, "the loops shut down") {
		t.Errorf("what follows from the end of a run is told, and is not what was wrong:\n%s", text)
	}
}

// lived returns a connection whose operations were sent and answered at these ticks, two
// for each operation.
func lived(conn int, whole bool, sent, got string, ticks ...int) judge.History {
	l := judge.History{Conn: conn, Sent: []byte(sent), Got: []byte(got), Whole: whole}
	in, out := 0, 0
	for i := 0; i < len(ticks); i += 2 {
		_, n, _ := cellModel.Input(l.Sent[in:])
		in += n
		l.SentAt = append(l.SentAt, judge.Stamp{Bytes: in, Tick: ticks[i], Event: i})
		if ticks[i+1] > 0 {
			out++
			l.GotAt = append(l.GotAt, judge.Stamp{Bytes: out, Tick: ticks[i+1], Event: i})
		}
	}
	return l
}

// Each history is explained by an order of its operations, or not.
func TestLinearHistories(t *testing.T) {
	for _, c := range []struct {
		name  string
		lives []judge.History
		want  string // in the verdict; empty: it is explained
	}{
		{"nothing", nil, ""},
		{"one after the other", []judge.History{lived(0, true, "=1", "k", 1, 2), lived(1, true, "?", "1", 3, 4)}, ""},
		{"a stale read", []judge.History{lived(0, true, "=1", "k", 1, 2), lived(1, true, "?", "0", 3, 4)}, "connection 1 gets \"0\""},
		{"at once, not yet", []judge.History{lived(0, true, "=1", "k", 1, 4), lived(1, true, "?", "0", 2, 3)}, ""},
		{"at once, already", []judge.History{lived(0, true, "=1", "k", 1, 4), lived(1, true, "?", "1", 2, 3)}, ""},
		{"back in time", []judge.History{lived(0, true, "=1", "k", 1, 8), lived(1, true, "??", "10", 2, 3, 4, 5)}, "no order of the 3"},
		{"a set that was lost", []judge.History{lived(0, false, "=1", "", 1, 0), lived(1, true, "?", "0", 2, 3)}, ""},
		{"a set whose answer was lost", []judge.History{lived(0, false, "=1", "", 1, 0), lived(1, true, "?", "1", 2, 3)}, ""},
		{"an answer before its set", []judge.History{lived(0, false, "=1", "", 4, 0), lived(1, true, "?", "1", 2, 3)}, "connection 1 gets \"1\""},
		{"an answer that is due", []judge.History{lived(0, true, "?", "", 1, 0)}, "gets no answer"},
		{"the only one", []judge.History{lived(0, true, "?", "1", 1, 2)}, `no order of the one input explains that connection 0 gets "1" for "?", sent in event 0: with none of them before it, it would get "0"`},
		{"an answer to nothing", []judge.History{lived(0, true, "?", "00", 1, 2)}, "more than the model answers"},
		{"two writers, two readers that differ", []judge.History{lived(0, true, "=1", "k", 1, 9), lived(1, true, "=2", "k", 2, 10),
			lived(2, true, "??", "12", 3, 4, 5, 6), lived(3, true, "??", "21", 3, 4, 5, 6)}, "no order"},
	} {
		text, _, decided := Linear("cell", cellModel).judge.All(c.lives)
		if !decided || c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: decided %v, %q: want %q", c.name, decided, text, c.want)
		}
	}
}

// A history with too many orders is not decided, and passes.
func TestLinearGivesUp(t *testing.T) {
	var all []judge.History
	for i := range 12 {
		all = append(all, lived(i, true, "="+string(rune('a'+i)), "k", 1, 100))
	}
	all = append(all, lived(12, true, "?", "z", 1, 100))
	if text, _, decided := Linear("cell", cellModel).judge.All(all); text != "" || decided {
		t.Errorf("decided %v, %q: want undecided", decided, text)
	}
}

// A state with pointers is made anew for each branch of the search.
func TestLinearOfPointers(t *testing.T) {
	type log struct{ all []byte }
	type shared struct{ all map[string]*log }
	m := Model[shared, byte]{
		New:   func() shared { return shared{map[string]*log{"": {}}} },
		Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
		Step: func(s *shared, b byte) string {
			l := s.all[""]
			l.all = append(l.all, b)
			return string(l.all) + "\n"
		},
	}
	conn := func(n int, sent, got string, shift int) judge.History {
		h := judge.History{Conn: n, Sent: []byte(sent), Got: []byte(got)}
		for i := range sent {
			h.SentAt = append(h.SentAt, judge.Stamp{Bytes: i + 1, Tick: 1, Event: 1})
		}
		for i, c := range got {
			if c == '\n' {
				h.GotAt = append(h.GotAt, judge.Stamp{Bytes: i + 1, Tick: 9 + shift + i, Event: 1})
			}
		}
		return h
	}
	for _, c := range []struct {
		conns []judge.History
		want  string
	}{
		{[]judge.History{conn(0, "a", "ba\n", 0), conn(1, "b", "b\n", 0)}, ""},
		{[]judge.History{conn(0, "ac", "dba\ndbaec\n", 0), conn(1, "be", "db\ndbae\n", 2), conn(2, "d", "d\n", 90)}, ""},
		{[]judge.History{conn(0, "ac", "dba\ndbaec\n", 0), conn(1, "be", "db\ndbea\n", 2), conn(2, "d", "d\n", 90)}, `that connection 1 gets "dbea\n" for "e", sent in event 1: with 3 of them before it, it would get "dbae\n"`},
	} {
		if text, _, decided := Linear("log", m).judge.All(c.conns); !decided || c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s (decided %v): want %q", text, decided, c.want)
		}
	}
}

// An input may have no answer: it has its effect, and others see it.
func TestLinearWithoutAnswers(t *testing.T) {
	quiet := cellModel
	quiet.Step = func(value *byte, in string) string {
		if answer := cellModel.Step(value, in); in == "?" {
			return answer
		}
		return ""
	}
	at := func(pairs ...int) (all []judge.Stamp) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, judge.Stamp{Bytes: pairs[i], Tick: pairs[i+1]})
		}
		return all
	}
	reads := func(conn int, got string, sent, answered int) judge.History {
		return judge.History{Conn: conn, Whole: true, Sent: []byte("?"), Got: []byte(got), SentAt: at(1, sent), GotAt: at(1, answered)}
	}
	// The set is sent at 1; behind it, "?" at 10, which is answered at 12.
	sets := judge.History{Whole: true, Sent: []byte("=1?"), Got: []byte("1"), SentAt: at(2, 1, 3, 10), GotAt: at(1, 12)}
	for _, c := range []struct {
		name  string
		conns []judge.History
		want  string
	}{
		{"alone", []judge.History{sets}, ""},
		{"read before it has an effect", []judge.History{sets, reads(1, "0", 5, 7)}, ""},
		{"read when it has one", []judge.History{sets, reads(1, "1", 5, 7)}, ""},
		{"read before it was sent", []judge.History{sets, reads(1, "1", -2, 0)}, "no order"},
		{"read too late", []judge.History{sets, reads(1, "0", 13, 14)}, `connection 1 gets "0" for "?"`},
		{"both", []judge.History{sets, reads(1, "1", 2, 3), reads(2, "0", 4, 5)}, "no order"},
	} {
		if text, _, decided := Linear("cell", quiet).judge.All(c.conns); !decided || c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: %s (decided %v): want %q", c.name, text, decided, c.want)
		}
	}
}

// A long conversation with a wrong end takes no longer than a Linear may take, although a state
// with a map is made anew for each step back.
func TestLinearIsBounded(t *testing.T) {
	const n = 60_000
	m := Model[map[string]byte, byte]{
		New:   func() map[string]byte { return map[string]byte{"cell": '0'} },
		Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
		Step:  func(s *map[string]byte, _ byte) string { return string([]byte{(*s)["cell"]}) },
	}
	h := judge.History{Sent: bytes.Repeat([]byte("?"), n), Got: append(bytes.Repeat([]byte("0"), n-1), '1'), Whole: true}
	for i := range n {
		h.SentAt = append(h.SentAt, judge.Stamp{Bytes: i + 1, Tick: 2*i + 1, Time: 1})
		h.GotAt = append(h.GotAt, judge.Stamp{Bytes: i + 1, Tick: 2*i + 2, Time: 1})
	}
	begin := time.Now()
	text, _, decided := Linear("cell", m).judge.All([]judge.History{h})
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v: %q, decided: %v", took, text, decided)
	}
}
