package fuzz

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/internal/judge"
)

// swapModel is a value: "=v" sets it, and the answer is the value before.
var swapModel = Model[byte, string]{
	New: cellModel.New, Input: cellModel.Input,
	Step: func(value *byte, in string) string {
		old := *value
		if in != "?" {
			*value = in[1]
		}
		return string([]byte{old})
	},
}

// call is an input of a connection: it has its effect between the ticks at which it is sent
// and answered.
type call struct {
	conn               int
	in, out            string
	sent, does, answer int
}

// calls returns calls of some connections that overlap, with the answers of a model.
func calls(r *rand.Rand, m Model[byte, string]) (all []*call) {
	const conns, each = 4, 4
	for conn := range conns {
		at := r.IntN(20)
		for range each {
			c := &call{conn: conn, in: []string{"?", "=1", "=2", "=3"}[r.IntN(4)], sent: at + 1 + r.IntN(20)}
			c.does = c.sent + 1 + r.IntN(40)
			c.answer = c.does + 1 + r.IntN(40)
			at = c.answer
			all = append(all, c)
		}
	}
	for _, c := range all { // no two at one tick
		c.sent, c.does, c.answer = c.sent*100+c.conn, c.does*100+c.conn, c.answer*100+c.conn
	}
	slices.SortFunc(all, func(a, b *call) int { return a.does - b.does })
	state := m.New()
	for _, c := range all {
		c.out = m.Step(&state, c.in)
	}
	return all
}

// histories returns calls by connection. The event of a call is its place among all.
func histories(all []*call) []judge.History {
	conns := make([]judge.History, 4)
	for i, c := range all {
		h := &conns[c.conn]
		h.Conn, h.Whole = c.conn, true
		h.Sent, h.Got = append(h.Sent, c.in...), append(h.Got, c.out...)
		h.SentAt = append(h.SentAt, judge.Stamp{Bytes: len(h.Sent), Tick: c.sent, Event: i})
		h.GotAt = append(h.GotAt, judge.Stamp{Bytes: len(h.Got), Tick: c.answer, Event: i})
	}
	return conns
}

// If one answer among those of several connections is wrong, exactly its input is named, also
// if the input has an effect that others see, and if others overlap it.
func TestLinearBlamesTheWrongAnswer(t *testing.T) {
	for name, m := range map[string]Model[byte, string]{"cell": cellModel, "swap": swapModel} {
		for seed := range uint64(500) {
			r := rand.New(rand.NewPCG(seed, 1))
			all := calls(r, m)
			if text, _, _ := Linear(name, m).judge.All(histories(all)); text != "" {
				t.Fatalf("%s, seed %d: %s", name, seed, text)
			}
			at := r.IntN(len(all))
			wrong := all[at]
			wrong.out = "z"
			text, stamp, _ := Linear(name, m).judge.All(histories(all))
			want := fmt.Sprintf(`that connection %d gets "z" for %q, sent in event %d: with `, wrong.conn, wrong.in, at)
			if !strings.Contains(text, want) || stamp.Tick != wrong.answer {
				t.Errorf("%s, seed %d: %s (at tick %d): want %q, at tick %d", name, seed, text, stamp.Tick, want, wrong.answer)
			}
		}
	}
}

// If no single answer is to blame, the first is named at which the longest order ends, and of
// several such orders the first that is found.
func TestLinearBlamesTheFirst(t *testing.T) {
	for _, c := range []struct {
		name  string
		lives []judge.History
		want  string
		tick  int
	}{
		{"a value that was set and lost", []judge.History{
			lived(0, true, "=1", "k", 1, 2), lived(1, true, "?", "0", 3, 9), lived(2, true, "?", "0", 4, 8), lived(3, true, "?", "0", 5, 10),
		}, `that connection 2 gets "0" for "?", sent in event 0: with 1 of them before it, it would get "1"`, 8},
		{"two that are wrong", []judge.History{
			lived(0, true, "=1", "k", 1, 5), lived(1, true, "=2", "k", 2, 6), lived(2, true, "?", "y", 3, 8), lived(3, true, "?", "z", 4, 9),
		}, `that connection 2 gets "y" for "?", sent in event 0: with 2 of them before it, it would get "2"`, 8},
	} {
		if text, at, _ := Linear("cell", cellModel).judge.All(c.lives); !strings.Contains(text, c.want) || at.Tick != c.tick {
			t.Errorf("%s: %s (at tick %d): want %s, at tick %d", c.name, text, at.Tick, c.want, c.tick)
		}
	}
}
