package fuzz

import (
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
)

// Counting goes through each trace once, and leaves out those that do nothing.
func TestExhaustive(t *testing.T) {
	spec := echoSpec()
	spec.Dict = spec.Dict[:1]
	w := newWorld(spec.filled())
	seen := map[string]bool{}
	byLength := map[int]int{}
	w.run(nil)
	for c := newCounter(w, 3); ; {
		tr, ok := c.next()
		if !ok {
			break
		}
		if seen[tr.String()] {
			t.Fatalf("twice:\n%s", tr)
		}
		seen[tr.String()] = true
		byLength[len(tr)]++
		if first := tr[0]; first.Op == trace.Send || first.Op == trace.Dial && first.On != 0 {
			t.Fatalf("does nothing, or what another does:\n%s", tr)
		}
	}
	// Letters that count at first: a dial, three spans, a shutdown.
	if byLength[1] != 5 {
		t.Errorf("%d traces of one event: want 5", byLength[1])
	}
	// Behind a dial: a send, three ends, the other dial, three spans, a shutdown; behind
	// a span: as at first; behind a shutdown: as at first without it.
	if want := 9 + 3*5 + 4; byLength[2] != want {
		t.Errorf("%d traces of two events: want %d", byLength[2], want)
	}
	for _, line := range []string{"dial 0 listener=0\nsend 0 word=0 more=0\nfinish 0\n", "dial 0 listener=0\ndial 1 listener=0\nreset 0\n"} {
		if !seen[line] {
			t.Errorf("never:\n%s", line)
		}
	}
}

// An exhaustive search says when it is done; it finds what needs no fault.
func TestExhaustiveSearch(t *testing.T) {
	spec := echoSpec()
	spec.Dict = spec.Dict[:1]
	if found := Find(spec, 1, Budget{Strategy: Exhaustive(2)}); found.Failure != nil || !found.Done || !strings.Contains(found.String(), "; there is no other trace") || found.Runs != 5+28 {
		t.Errorf("done %v after %d runs, %v: want done after 33", found.Done, found.Runs, found.Failure)
	}
	if found := Find(panicky(), 1, Budget{Strategy: Exhaustive(2)}); found.Failure == nil || len(found.Trace) != 2 || found.Done {
		t.Errorf("%v\n%s", found, found.Trace)
	}
}

// Random draws all events from one mixture, Swarm from another one each time.
func TestMixtures(t *testing.T) {
	for _, c := range []struct {
		how   Strategy
		mixed bool
	}{{Random, false}, {Swarm, true}} {
		spec := echoSpec()
		d := newDice(newWorld(spec.filled()), 1, c.how)
		d.draw()
		first := d.weight
		mixed := false
		for range 20 {
			d.draw()
			mixed = mixed || d.weight != first
		}
		if mixed != c.mixed {
			t.Errorf("%v: the mixture changes %v: want %v", c.how, mixed, c.mixed)
		}
	}
}

func TestStrategyNames(t *testing.T) {
	for _, s := range []Strategy{Guided, Swarm, Random, Exhaustive(3)} {
		if got, err := parseStrategy(s.String()); got != s || err != nil {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "luck", "exhaustive:0", "exhaustive:21", "exhaustive"} {
		if _, err := parseStrategy(bad); err == nil {
			t.Errorf("%q is a strategy", bad)
		}
	}
}
