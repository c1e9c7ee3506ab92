package fuzz

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// counting is an echo that counts its lines, and claims conditions that do not hold.
type counting struct {
	probe probe.Probe
	lines int
}

func (c *counting) line(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	c.lines += strings.Count(string(in), "\n")
	c.probe.Alwaysf("three lines at most", c.lines <= 3, "%d lines", c.lines)
	c.probe.Sometimes("a line", c.lines > 0)
	c.probe.Sometimes("a hundred lines", c.lines >= 100)
	c.probe.Mark("lines", c.lines)
	cx.Discard(peer, len(in))
	return fsm.Stay
}

func countingSpec(words ...string) Spec {
	k := reactor.Must(reactor.NewKind("counting", reactor.Options{Ports: []string{"peer"}}, reactor.Table[counting, reactor.None]{
		{Shutdown: fsm.Stop}, {Name: "counting", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*counting).line}}))
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", counting{probe: w.Probe()})
			return err
		},
		Dict:      words,
		Sometimes: []string{"a line", "what no code speaks of"},
	}
}

// A condition given to Always that does not hold is a failure, and is shrunk.
func TestAlways(t *testing.T) {
	found := Find(countingSpec("\n", "word"), 1, Budget{Runs: 2000})
	if found.Failure == nil || found.Failure.Error() != "always: three lines at most: 4 lines" {
		t.Fatalf("%v: want a failure of three lines at most", found)
	}
	if len(found.Trace) != 2 {
		t.Errorf("%d events: want 2, a dial and a send of four lines\n%s", len(found.Trace), found.Trace)
	}
}

// Unseen lists a condition that was never true, whether a run reached its call or not.
func TestSometimes(t *testing.T) {
	found := Find(countingSpec("word"), 1, Budget{Runs: 200, Strategy: Exhaustive(2)})
	if found.Failure != nil {
		t.Fatal(found)
	}
	if want := []string{"a hundred lines", "a line", "what no code speaks of"}; !slices.Equal(found.Unseen, want) {
		t.Errorf("unseen %q: want %q", found.Unseen, want)
	}
	if !strings.Contains(found.String(), "not seen: a hundred lines, a line") {
		t.Error(found)
	}
	found = Replay(countingSpec("\n"), trace.Trace{{Op: trace.Dial}, {Op: trace.Send}})
	if want := []string{"a hundred lines", "what no code speaks of"}; !slices.Equal(found.Unseen, want) {
		t.Errorf("unseen %q after a line: want %q", found.Unseen, want)
	}
}

// Only a search of UnseenRuns runs must have seen all conditions.
func TestLongSearchMustSee(t *testing.T) {
	f := &Finding{Runs: UnseenRuns - 1, Unseen: []string{"a line"}}
	if f.unseen() != nil {
		t.Error("a short search fails")
	}
	if f.Runs++; f.unseen() == nil || !strings.Contains(f.unseen().Error(), "a line") {
		t.Errorf("a long search that saw nothing: %v", f.unseen())
	}
}

// Probes allocate nothing after some runs.
func TestProbesDoNotAllocate(t *testing.T) {
	spec := countingSpec("\n")
	w := newEngine(spec)
	p := w.world.Probe()
	tell := func() {
		p.Always("holds", true)
		p.Sometimes("seen", true)
		p.Mark("value", -5)
	}
	tell()
	if n := testing.AllocsPerRun(100, tell); n != 0 {
		t.Errorf("%v allocations: want 0", n)
	}
}

// A fault counts together with the state of the machine that it meets: when it is armed,
// and when it happens.
func TestFaultsAreFeatures(t *testing.T) {
	spec := echoSpec()
	w := newEngine(spec)
	features := func(tr trace.Trace) int {
		if f := w.run(tr); f != nil {
			t.Fatal(f)
		}
		return len(w.cover.Hits())
	}
	plain := trace.Trace{{Op: trace.Dial}, {Op: trace.Send}}
	without := features(plain)
	armed := features(append(plain[:2:2], trace.Event{Op: trace.BlockRead}))
	happens := features(trace.Trace{plain[0], {Op: trace.BlockRead}, plain[1]})
	if armed != without+1 || happens != without+2 {
		t.Errorf("%d features without a fault, %d with one armed, %d when it happens: want one more each", without, armed, happens)
	}
}
