package fuzz

import (
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// moody answers each byte, and does something else at every n-th byte that all its runs
// together receive.
func moody(every int, other func(cx *echoCx) error) Spec {
	heard := 0
	s := readingSpec(func() struct{} { return struct{}{} }, func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		cx.Discard(peer, len(in))
		if heard++; heard%every == 0 {
			return cx.Fail(other(cx))
		}
		return cx.Fail(cx.Write(peer, []byte("so")))
	})
	s.Dict, s.Without = []string{"a", "bc"}, Segmentation // there is an answer to each piece
	return s
}

// If only some runs of a trace fail, the trace is shrunk all the same, and the failure says
// how.
func TestShrinkWhatComesAndGoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		spec   Spec
		oracle string
		told   string
	}{
		{"other bytes", moody(101, func(cx *echoCx) error { return cx.Write(peer, []byte("else")) }), judge.Determinism, "It was shrunk by 10 runs of each shorter trace, two of which differed"},
		{"a panic", moody(7, func(*echoCx) error { panic("moody") }), judge.Panic, "It comes and goes: the same trace does not fail each time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Find(c.spec, 5, Budget{Runs: 200})
			if found.Failure == nil || found.Failure.Oracle != c.oracle {
				t.Fatalf("%v: want a failure of %s", found, c.oracle)
			}
			text := found.Explain()
			if !strings.Contains(text, c.told) || len(found.Trace) > 30 {
				t.Errorf("%d events: want 30 at most, and %q in:\n%s", len(found.Trace), c.told, text)
			}
		})
	}
}

// A failure that comes once and never again is reported.
func TestFailsOnce(t *testing.T) {
	spec, calm := moody(50, func(*echoCx) error { panic("once") }), false
	moody := spec.Setup
	spec.Setup = func(w *World) error {
		if calm {
			return echoSpec().Setup(w)
		}
		return moody(w)
	}
	w := newEngine(spec)
	tr, err := trace.Parse("dial 0\n" + strings.Repeat("send 0\nadvance n=1 unit=1\n", 100))
	if err != nil {
		t.Fatal(err)
	}
	f := w.check(tr, false)
	if f == nil {
		t.Fatal("nothing fails: want a panic")
	}
	calm = true // no failure from now on
	found := w.shrunk(tr, f)
	if !found.account.Failure.Same(f) || len(found.Trace) != len(tr) {
		t.Fatalf("%v, %d events: want %v, and all %d", found, len(found.Trace), f, len(tr))
	}
	if text := found.Explain(); !strings.Contains(text, "It came once, and not again in 10 more runs") || !strings.Contains(text, "What happens in a run that does not show it") {
		t.Errorf("it is not told that it does not come again:\n%s", text)
	}
}
