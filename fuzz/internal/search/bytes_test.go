package search

import (
	"math/rand/v2"
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
)

// All bytes are a trace, and the bytes of that trace are read as the same trace.
func TestBytes(t *testing.T) {
	s := &Config{Dict: words, Loops: 1, Conns: 4}
	random := rand.New(rand.NewPCG(1, 1))
	seen := map[trace.Op]bool{}
	for range 2000 {
		b := make([]byte, 1+random.IntN(64))
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		tr := s.Trace(b)
		if len(tr) != (len(b)+record-1)/record {
			t.Fatalf("%d events of %d bytes", len(tr), len(b))
		}
		for _, e := range tr {
			seen[e.Op] = true
		}
		if again := s.Trace(s.Bytes(tr)); again.String() != tr.String() {
			t.Fatalf("%q is\n%sand from its own bytes\n%s", b, tr, again)
		}
	}
	if len(seen) != int(trace.NumOps)-1 || seen[trace.Repeat] {
		t.Errorf("%d of %d ops have bytes: want all but Repeat", len(seen), trace.NumOps)
	}
}

// Zeros do nothing, and missing bytes are zeros.
func TestZeroBytes(t *testing.T) {
	s := &Config{Dict: words, Loops: 1, Conns: 4}
	if tr := s.Trace([]byte("0000")); len(tr) != 1 || tr[0] != (trace.Event{}) {
		t.Errorf("zeros mean %v", tr)
	}
	dial := s.Bytes(trace.Trace{{Op: trace.Dial}})
	if tr := s.Trace(dial[:1]); len(tr) != 1 || tr[0] != (trace.Event{Op: trace.Dial}) {
		t.Errorf("the first byte of a dial means %v", tr)
	}
}
