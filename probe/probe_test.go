package probe_test

import (
	"fmt"
	"testing"

	"github.com/stator-go/stator/probe"
)

type heard []string

func (h *heard) Always(name string, holds bool, format string, values []int) {
	*h = append(*h, fmt.Sprint("always ", name, holds, format, values))
}
func (h *heard) Sometimes(name string, seen bool) {
	*h = append(*h, fmt.Sprint("sometimes ", name, seen))
}
func (h *heard) Mark(name string, value int) { *h = append(*h, fmt.Sprint("mark ", name, value)) }

var tries = 1000 // large enough that boxing it would allocate

func say(p probe.Probe) {
	p.Always("a", true)
	p.Alwaysf("f", false, "%d of %d", tries, 3)
	p.Sometimes("s", false)
	p.Mark("m", 7)
}

func TestProbe(t *testing.T) {
	var h heard
	p := probe.New(&h)
	say(p)
	if got := fmt.Sprint([]string(h)); got != "[always atrue[] always ffalse%d of %d[1000 3] sometimes sfalse mark m7]" || !p.On() {
		t.Errorf("told %s, on %v", got, p.On())
	}
}

// In production a probe is zero: it does nothing, and allocates nothing.
func TestZeroProbe(t *testing.T) {
	var p probe.Probe
	if p.On() {
		t.Error("the zero probe is on")
	}
	if n := testing.AllocsPerRun(1000, func() { say(p) }); n != 0 {
		t.Errorf("%v allocations: want 0", n)
	}
}

func BenchmarkZeroProbe(b *testing.B) {
	machine := &struct{ probe probe.Probe }{}
	b.ReportAllocs()
	for i := range b.N {
		machine.probe.Mark("value", i)
	}
}
