package fuzz

import (
	"math"
	"math/bits"
	"slices"

	"github.com/stator-go/stator/probe"
)

// What runs are told through probes: claims, which are judged, and values, which
// guide the search.

// Probe is what the prototypes of this world's machines take, so that handlers can
// say what must hold, what should be seen, and how far they got.
func (w *World) Probe() probe.Probe { return w.probe }

// claim is what probes said under one name, in all runs of a world.
type claim struct {
	name      string
	sometimes bool // to be seen
	seen      bool
	high      int // value
	last      int // value of this run
	peak      int // of search.peaks, and 1
	feature   uint32
}

// peak is where a run brought a value as high as any before, or higher.
type peak struct {
	claim  *claim // nil: it did not
	at     int    // the event under way
	higher bool
	stands bool // the value is as high yet when the event is over
}

// ear is a world as its probes know it.
type ear struct{ w *World }

func (e ear) Always(name string, holds bool) {
	if !holds {
		e.w.fail(oracleAlways, "%s", name)
	}
}

func (e ear) Sometimes(name string, seen bool) {
	c := e.w.claim(name)
	if c.sometimes = true; seen {
		c.seen = true
		e.w.cover.add(c.feature)
	}
}

func (e ear) Mark(name string, value int) {
	c := e.w.claim(name)
	bucket := uint32(bits.Len(uint(max(value, -value))))
	if value < 0 {
		bucket += 64
	}
	e.w.cover.add(c.feature + (1+bucket)*featurePrime)
	c.last = value
	if p := &e.w.peak; !e.w.rerun && (value > c.high || value == c.high && p.claim == nil) {
		*p = peak{claim: c, at: e.w.cover.at, higher: value > c.high}
		c.high = value
	}
}

// stand looks what a value is at the end of the event that brought it to its peak.
func (w *World) stand() {
	if p := &w.peak; p.claim != nil && p.at == w.at {
		p.stands = p.claim.last == p.claim.high
	}
}

func (w *World) claim(name string) *claim {
	c := w.claims[name]
	if c == nil {
		c = &claim{name: name, high: math.MinInt, feature: uint32(len(w.claims)+1) << 24}
		w.claims[name] = c
	}
	return c
}

// unseen are the names of what should be seen in some run, and was in none.
func (w *World) unseen() (names []string) {
	for _, name := range w.spec.Sometimes {
		w.claim(name).sometimes = true
	}
	for name, c := range w.claims {
		if c.sometimes && !c.seen {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
