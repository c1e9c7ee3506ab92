package search

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
)

// A feature that was seen once is picked until it was tried as often as the others.
func TestCorpusPicksWhatIsNew(t *testing.T) {
	c := NewCorpus(rand.New(rand.NewPCG(1, 0)))
	old, fresh := trace.Trace{{Op: trace.Dial}}, trace.Trace{{Op: trace.Dial}, {Op: trace.Send}}
	for range 1000 {
		for f := range uint32(20) {
			c.Keep(old, []Hit{{Feature: f, At: 1}}, Peak{})
		}
	}
	c.Keep(fresh, []Hit{{Feature: 99, At: 2}}, Peak{})
	for n := range 500 {
		if got := c.pick(); len(got) != len(fresh) {
			t.Fatalf("pick %d is one of 20 traces that were seen 1,000 times: want the one that was seen once", n)
		}
	}
}

// A trace is kept up to the event that showed the feature. The shortest trace is kept, and
// some of the others.
func TestCorpusKeepsTheShortest(t *testing.T) {
	c := NewCorpus(rand.New(rand.NewPCG(1, 0)))
	long := make(trace.Trace, 100)
	for at := 60; at > 10; at-- {
		c.Keep(long, []Hit{{Feature: 7, At: at}}, Peak{})
	}
	for at := 11; at < 100; at++ {
		c.Keep(long, []Hit{{Feature: 7, At: at}}, Peak{})
	}
	k := c.known[7]
	if len(k.traces[0]) != 11 || len(k.traces) != keptTraces {
		t.Fatalf("%d traces, the first has %d events: want %d, and 11", len(k.traces), len(k.traces[0]), keptTraces)
	}
	for _, tr := range k.traces {
		if len(tr) > 2*11+8 {
			t.Errorf("one of %d events is kept beside one of 11", len(tr))
		}
	}
}

// The highest values of a probe are kept in ascending order.
func TestCorpusClimbs(t *testing.T) {
	c := NewCorpus(rand.New(rand.NewPCG(1, 0)))
	steps := &Claim{}
	tr := make(trace.Trace, 10)
	for at := 1; at <= 10; at++ {
		c.Keep(tr, nil, Peak{claim: steps, at: at, higher: true, stands: true})
	}
	var lengths []int
	for _, k := range c.peaks[steps.ladder-1] {
		lengths = append(lengths, len(k.traces[0]))
	}
	if want := []int{7, 8, 9, 10}; !slices.Equal(lengths, want) {
		t.Errorf("the ladder has traces of %d events: want %d", lengths, want)
	}
}
