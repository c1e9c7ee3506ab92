package search

import (
	"slices"
	"testing"
	"time"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
)

// Runs of a comparison do not leave a feature marked as seen. Otherwise no later run would
// show it.
func TestDeepRunsLeaveNoFeatures(t *testing.T) {
	w := echoWorld()
	j := judge.New(w, judge.Config{Conns: 4, Patience: time.Second})
	cover := NewCoverage()
	w.Attach(cover)
	j.Run(nil)
	d := New(Config{Strategy: Swarm, Dict: words, Loops: 1, Conns: 4}, w, 1)
	m := d.Maker()
	for range 50 {
		if f := j.Check(next(d, m), true, nil); f != nil {
			t.Fatal(f)
		}
		cover.begin()
		if at := slices.IndexFunc(cover.seen, func(bits uint64) bool { return bits != 0 }); at >= 0 {
			t.Fatalf("features %#x of word %d are seen before a run", cover.seen[at], at)
		}
	}
}

func next(s *Search, m *Maker) trace.Trace {
	p, _ := s.Plan()
	return m.Make(p)
}
