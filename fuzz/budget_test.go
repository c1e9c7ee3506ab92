package fuzz

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/reactor"
)

// A failure whose shrinking would take long is reported soon after the time of the search is
// up, by the shortest trace so far.
func TestShrinkingIsCut(t *testing.T) {
	spec := readingSpec(func() struct{} { return struct{}{} }, func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		time.Sleep(20 * time.Millisecond)
		if bytes.Contains(in, []byte("z")) {
			panic("slow")
		}
		cx.Discard(peer, len(in))
		return cx.Fail(cx.Write(peer, in))
	})
	spec.Dict = []string{"abc", "z", "xy"}
	e := newEngine(spec)
	tr := e.random(2, Random)()
	for len(tr) < 200 || e.check(tr, false) == nil {
		tr = append(tr, e.random(uint64(len(tr)), Random)()...)
	}
	f := e.check(tr, false)
	begin := time.Now()
	e.shrinkBy = begin.Add(300 * time.Millisecond)
	found := e.shrunk(tr, f)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("shrinking took %v: want 300 ms, and the time of some runs", took)
	}
	if !found.account.Failure.Same(f) || len(found.Trace) > len(tr) || !strings.Contains(found.Explain(), "Shrinking was cut short") {
		t.Errorf("%d of %d events: want the same failure, and that it was cut:\n%.2000s", len(found.Trace), len(tr), found.Explain())
	}
}

// Shrinking has a tenth of a search's time after that, or 5 s.
func TestShrinkBy(t *testing.T) {
	end := time.Now()
	for search, want := range map[time.Duration]time.Duration{10 * time.Second: 5 * time.Second, 10 * time.Minute: time.Minute} {
		if got := (Budget{Time: search}).shrinkBy(end).Sub(end); got != want {
			t.Errorf("a search of %v has %v: want %v", search, got, want)
		}
	}
}

// manyLinesSpec has a machine that fails at its 1,025th line.
func manyLinesSpec() Spec {
	spec := readingSpec(func() int { return 0 }, func(lines *int, cx *echoCx, _ reactor.Ready) reactor.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		if *lines += bytes.Count(in, []byte("\n")); *lines > 1024 {
			panic("the 1,025th line")
		}
		cx.Discard(peer, len(in))
		return cx.Fail(cx.Write(peer, in))
	})
	spec.Dict = []string{"a line\n", "QUIT\n", "text"}
	return spec
}

// A limit of 1,024 lines is reached in the default number of runs.
func TestWordsAreRepeated(t *testing.T) {
	for seed := range uint64(4) {
		found := Find(manyLinesSpec(), seed, Budget{Runs: 1000})
		if found.Failure == nil || found.Failure.Oracle != judge.Panic {
			t.Errorf("seed %d: %v: want a panic at the 1,025th line", seed, found)
		}
	}
}

// With WordsOnly peers send whole words, however traces are made.
func TestWordsOnly(t *testing.T) {
	spec := readingSpec(func() struct{} { return struct{}{} }, func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		cx.Discard(peer, len(in))
		return fsm.Stay
	})
	spec.Dict, spec.WordsOnly = []string{"one;", "two;"}, true
	for _, how := range []Strategy{Guided, Swarm, Random} {
		seen := 0
		spec.Oracles = []Oracle{PerConn("words", Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) {
				word, _, whole := strings.Cut(string(in), ";")
				if whole && word != "one" && word != "two" {
					t.Errorf("%v: a peer sends %q", how, word)
				}
				seen++
				return word, len(word) + 1, whole
			},
			Step: func(*struct{}, string) string { return "" },
		})}
		if found := Find(spec, 1, Budget{Runs: 300, Strategy: how, Workers: 1}); found.Failure != nil || seen == 0 {
			t.Errorf("%v: %v, %d words", how, found, seen)
		}
	}
	cfg := newEngine(spec).spec.search(Guided)
	for b := range 256 {
		for _, e := range cfg.Trace([]byte{byte(b), '1', byte(b * 7), byte(b * 3)}) {
			if e.Op.String() == "send" && int(e.A) >= len(spec.Dict) {
				t.Errorf("bytes make %v", e)
			}
		}
	}
}

var linesOfAll int // of all runs

// A failure that needs other runs before it says so.
func TestOutlivesRuns(t *testing.T) {
	linesOfAll = 0
	spec := readingSpec(func() struct{} { return struct{}{} }, func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		if linesOfAll += bytes.Count(in, []byte("a")); linesOfAll > 2000 {
			panic("too many")
		}
		cx.Discard(peer, len(in))
		return cx.Fail(cx.Write(peer, in))
	})
	spec.Dict = []string{"a", "bc"}
	found := Find(spec, 1, Budget{Runs: 1000, Workers: 1})
	if found.Failure == nil || !strings.Contains(found.Explain(), "Something outlives runs") {
		t.Errorf("%.2000s\nwant a failure that says that something outlives runs", found.Explain())
	}
	if found := Find(manyLinesSpec(), 1, Budget{Runs: 1000}); found.Failure == nil || strings.Contains(found.Explain(), "outlives") {
		t.Errorf("%.1000s\nwant a failure by its own trace", found.Explain())
	}
}
