package fuzz

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/shrink"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// bomb goes off when five words came in order, from any connection, and then one more that
// no other event sends.
type bomb struct{ armed *int }

const bombWords = 5

func newBomb() *reactor.Kind[bomb, reactor.None] {
	return reactor.Must(reactor.NewKind("bomb", reactor.Options{Ports: []string{"peer"}}, reactor.Table[bomb, reactor.None]{
		{Shutdown: fsm.Stop}, {Name: "armed", Wait: peer.Readable(), Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*bomb).hear}}))
}

func (m *bomb) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	for _, b := range in {
		switch {
		case b == '!' && *m.armed == bombWords:
			panic("boom")
		case int(b) == '0'+*m.armed && *m.armed < bombWords:
			*m.armed++
		}
	}
	cx.Discard(peer, len(in))
	return fsm.Stay
}

func bombSpec() Spec {
	k := newBomb()
	return Spec{Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", bomb{new(int)})
		return err
	}, Dict: []string{"!", "0", "1", "2", "3", "4", "5", "6", "7"}}
}

// bombTrace returns a trace of 10,000 events, of which the last one sets the bomb off.
func bombTrace(w *engine) trace.Trace {
	w.run(nil)
	d := w.random(1, Random)
	tr := make(trace.Trace, 0, 10_000)
	for len(tr) < 9_998 {
		for _, e := range d() {
			if e.Op != trace.Limit && (e.Op != trace.Send || e.A%265 != 0 && e.A%265 != '!'+9) && len(tr) < 9_998 {
				tr = append(tr, e)
			}
		}
	}
	return append(tr, trace.Event{Op: trace.Dial, On: 3}, trace.Event{Op: trace.Send, On: 3})
}

// The shortest trace that fails has a dial, the five words, and the last one.
const bombLeast = 1 + bombWords + 1

// A failure at the end of 10,000 events is shrunk to little more than it needs.
func TestShrinkLongTrace(t *testing.T) {
	spec := bombSpec()
	w := newEngine(spec)
	tr := bombTrace(w)
	f := w.check(tr, false)
	if f == nil || f.At < 9_000 {
		t.Fatalf("%v: want a failure at the end", f)
	}
	begin := time.Now()
	short := w.shrunk(tr, f)
	t.Logf("%d events to %d in %v", len(tr), len(short.Trace), time.Since(begin))
	if n := len(short.Trace); n > bombLeast*3/2 {
		t.Errorf("%d events: want %d at most\n%s", n, bombLeast*3/2, short.Trace)
	}
	if !short.account.Failure.Same(f) {
		t.Errorf("%v: want %v", short.Failure, f)
	}
}

// BenchmarkShrink measures the same.
func BenchmarkShrink(b *testing.B) {
	spec := bombSpec()
	w := newEngine(spec)
	tr := bombTrace(w)
	events := 0
	for range b.N {
		f := w.check(tr, false)
		events = len(w.shrunk(tr, f).Trace)
	}
	b.ReportMetric(float64(events), "events-left")
}

// The explanation says what does not matter: an argument that may have any value, an event
// that may come earlier.
func TestExplainSaysWhatIsFree(t *testing.T) {
	tr, err := trace.Parse(`
		dial 0
		send 0 word=1 more=0
		dial 1
		send 1 word=2 more=0
		send 0 word=3 more=0
		send 0 word=4 more=0
		send 0 word=5 more=0
		send 1 word=0 more=0
	`)
	if err != nil {
		t.Fatal(err)
	}
	spec := bombSpec()
	w := newEngine(spec)
	f := w.check(tr, false)
	short := shrink.Shrink(w.judge, w.spec.dict(), tr, f, time.Time{})
	text := w.shrunk(tr, f).Explain()
	t.Log("\n" + text[:strings.Index(text, "sequenceDiagram")])
	if n := len(short.Trace); n != bombLeast {
		t.Fatalf("%d events: want %d", n, bombLeast)
	}
	for i, e := range short.Trace {
		free := strings.Join(short.Free[i].Args, " ")
		switch {
		case e.Op == trace.Dial && (free != "listener" || short.Free[i].Swaps):
			t.Errorf("%v: %q: want any value of listener", e, free)
		case e.Op == trace.Send && strings.Contains(free, "word"), e.Op == trace.Send && short.Free[i].Swaps:
			t.Errorf("%v: %q: its word and its place matter", e, free)
		case e.Op == trace.Send && !strings.Contains(free, "more"):
			t.Errorf("%v: %q: how often it is sent does not matter", e, free)
		}
	}
	if !strings.Contains(text, "     any value of listener\n") {
		t.Errorf("not told:\n%s", text)
	}
}

// What a model finds is shrunk whatever its bytes are, and however they are shown, as long
// as an answer is wrong and not missing.
func TestModelsAreShrunk(t *testing.T) {
	s := readingSpec(func() struct{} { return struct{}{} }, func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
		in, err := cx.Peek(peer)
		if err != nil {
			return cx.Fail(err)
		}
		out := strings.ReplaceAll(string(in), "e", "E")
		cx.Discard(peer, len(in))
		return cx.Fail(cx.Write(peer, []byte(out)))
	})
	s.Dict = []string{"be ", "\n"}
	s.Oracles = []Oracle{PerConn("the same", Model[struct{}, string]{
		Input: func(in []byte) (string, int, bool) {
			line, _, whole := strings.Cut(string(in), "\n")
			return line, len(line) + 1, whole
		},
		Step: func(_ *struct{}, line string) string { return line + "\n" },
	})}
	tr, err := trace.Parse("dial 0\nsend 0 word=0 more=40\nsend 0 word=1\n")
	if err != nil {
		t.Fatal(err)
	}
	w := newEngine(s)
	const want = "dial 0 listener=0\nsend 0 word=0 more=0\nsend 0 word=1 more=0\n"
	if short := w.shrunk(tr, w.check(tr, false)); short.Trace.String() != want {
		t.Errorf("%v, shrunk to\n%swant\n%s", short.Failure, short.Trace, want)
	}
}

// GoTest returns a test with the trace in a form that Parse reads.
func TestGoTest(t *testing.T) {
	found := Find(panicky(), 1, Budget{Runs: 500})
	found.Trace = append(found.Trace, trace.Event{Op: trace.Send, A: 2 + '`'})
	if found.Failure == nil {
		t.Fatal("not found")
	}
	found.Failure.Text += "\n\r\x00 \xff \ufeff `" // as a panic may say
	source := found.GoTest("panicky()")
	if _, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n\n"+source, parser.ParseComments); err != nil {
		t.Errorf("%v in:\n%s", err, source)
	}
	_, text, _ := strings.Cut(source, "trace.Parse(`")
	text, _, _ = strings.Cut(text, "`)")
	if tr, err := trace.Parse(text); err != nil || tr.String() != found.Trace.String() {
		t.Errorf("%v: read as:\n%s\nwant:\n%s", err, tr, found.Trace)
	}
	for _, want := range []string{"// panic: panicky panicked", "fuzz.Replay(panicky(), tr)"} {
		if !strings.Contains(source, want) {
			t.Errorf("no %q in:\n%s", want, source)
		}
	}
}

// A failure that only a comparison shows, here with spurious events, is shrunk by
// comparisons.
func TestShrinkWithFurtherRuns(t *testing.T) {
	k := reactor.Must(reactor.NewKind("trusting", reactor.Options{Ports: []string{"peer"}}, reactor.Table[bool, reactor.None]{
		{},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop),
			OnReady: func(spoken *bool, cx *echoCx, _ reactor.Ready) fsm.State {
				var b [64]byte
				_, err := cx.Read(peer, b[:])
				if err == reactor.ErrWouldBlock && *spoken {
					panic("nothing came")
				}
				*spoken = true
				return cx.Fail(err)
			}}}))
	s := Spec{Dict: []string{"hello"}, Without: Segmentation, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", false)
		return err
	}}
	tr, err := trace.Parse(`
		dial 1 listener=0
		dial 0 listener=0
		send 1 word=0 more=0
		send 0 word=0 more=0
		advance n=1 unit=1
		dial 2 listener=0
		send 2 word=0 more=0
		send 0 word=0 more=0
	`)
	if err != nil {
		t.Fatal(err)
	}
	w := newEngine(s)
	if f := w.check(tr, false); f != nil {
		t.Fatalf("without further runs: %v: want nothing", f)
	}
	f := w.check(tr, true)
	if f == nil {
		t.Fatal("nothing is found with further runs: want a panic")
	}
	if short := w.shrunk(tr, f); len(short.Trace) > 2 || !short.account.Failure.Same(f) {
		t.Errorf("%d events, %v: want 2 at most\n%s", len(short.Trace), short.Failure, short.Trace)
	}
}
