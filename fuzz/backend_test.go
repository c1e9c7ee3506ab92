package fuzz

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// greeted dials a server, waits for its greeting, and asks again and again.
type greeted struct {
	once  bool             // it closes after an answer, and dials again
	heard *strings.Builder // what came; nil: it is not kept
	probe probe.Probe
}

const (
	greetedDialling = fsm.First + iota
	greetedWaiting
	greetedAsking
	greetedResting
	greetedPausing
)

// newGreeted returns a kind that goes to the state late if no greeting comes in 2 s.
func newGreeted(late fsm.State) *reactor.Kind[greeted, reactor.None] {
	return reactor.Must(reactor.NewKind("greeted", reactor.Options{Ports: []string{"server"}}, reactor.Table[greeted, reactor.None]{
		{Shutdown: fsm.Stop, Fail: greetedPausing, Stall: fsm.After(10*time.Second, greetedPausing)},
		greetedDialling: {Name: "dialling", Wait: peer.Opened(), Within: fsm.After(5*time.Second, greetedPausing), To: fsm.To(greetedWaiting),
			OnEnter: func(_ *greeted, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(peer, "tcp", "10.0.0.1:80")) },
			OnReady: func(*greeted, *echoCx, reactor.Ready) reactor.State { return greetedWaiting }},
		greetedWaiting: {Name: "waiting", Wait: peer.Readable(), Within: fsm.After(2*time.Second, late), OnReady: (*greeted).hear, To: fsm.To(greetedAsking, greetedPausing)},
		greetedAsking: {Name: "asking", Wait: peer.Readable(), Within: fsm.After(5*time.Second, greetedPausing), To: fsm.To(greetedResting, greetedPausing),
			OnEnter: func(_ *greeted, cx *echoCx) reactor.State { return cx.Fail(cx.Write(peer, []byte("next\n"))) },
			OnReady: (*greeted).hear},
		greetedResting: {Name: "resting", Within: fsm.After(time.Minute, greetedAsking)},
		greetedPausing: {Name: "pausing", Within: fsm.After(time.Second, greetedDialling),
			OnEnter: func(_ *greeted, cx *echoCx) reactor.State {
				cx.Close(peer)
				return fsm.Stay
			}},
	}))
}

func (g *greeted) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	line, _, whole := bytes.Cut(in, []byte("\n"))
	if err != nil || !whole {
		return cx.Fail(err)
	}
	if g.heard != nil {
		fmt.Fprintf(g.heard, "%s\n", line)
	}
	greeting := string(line) == "hello"
	cx.Discard(peer, len(line)+1)
	if cx.State() == greetedWaiting {
		if greeting {
			return greetedAsking
		}
		return greetedPausing
	}
	g.probe.Always("no greeting is taken for an answer", !greeting)
	if g.once {
		return greetedPausing
	}
	return greetedResting
}

// greetedSpec has a client of a server that greets and counts.
func greetedSpec(late fsm.State, proto greeted) Spec {
	k := newGreeted(late)
	return Spec{
		Dict: []string{"number 7\n"}, Without: LostOutput, // what it wrote is dropped when it gives up
		Backends: []Backend{Serve("10.0.0.1:80", Model[int, string]{Greeting: "hello\n", Input: firstLine,
			Step: func(n *int, _ string) string { *n++; return fmt.Sprintf("number %d\n", *n) }})},
		Setup: func(w *World) error {
			proto.probe = w.Probe()
			if proto.heard != nil {
				proto.heard.Reset()
			}
			_, err := k.Spawn(w.Loop(0), proto)
			return err
		},
	}
}

// What goes wrong if a greeting is late, or does not come, is found in the default budget; it is
// not if it always comes at once.
func TestLateGreeting(t *testing.T) {
	t.Parallel()
	wrong := greetedSpec(greetedAsking, greeted{})
	for seed := range uint64(testenv.Pick(2, 10)) {
		found := Find(wrong, seed, Budget{})
		if found.Failure == nil || found.Failure.Oracle != "always" {
			t.Errorf("seed %d: %v", seed, found)
		} else if text := found.Explain(); !strings.Contains(text, "answer-waits\n") {
			t.Errorf("seed %d: the fault is not named:\n%s", seed, text)
		}
	}
	wrong.Faults = trace.Weights{trace.AnswerWaits: 0, trace.Jump: 0}
	if found := Find(wrong, 1, Budget{Runs: 300}); found.Failure != nil {
		t.Error("at once:", found.Explain())
	}
	if found := Find(greetedSpec(greetedPausing, greeted{}), 1, Budget{Runs: testenv.Pick(100, 1000)}); found.Failure != nil || len(found.Missing) > 1 { // Stall
		t.Errorf("missing: %q\n%s", found.Missing, found.Explain())
	}
}

// A trace says when a greeting and answers come. None is lost.
func TestAnswersWait(t *testing.T) {
	const first = "hello\nnumber 1\n"
	for _, c := range []struct{ trace, want, end string }{
		{"settle", first, first},
		{"answer-waits 4 ms=5 hold\nadvance n=4 unit=1", "", first},
		{"answer-waits 4 ms=5 hold\nadvance n=5 unit=1", first, first},
		{"answer-waits 0 ms=5\nadvance n=4 unit=1", "", first},
		{"answer-waits 4 ms=65535\nadvance n=1900 unit=1", "", first},
		{"answer-waits 4 ms=65535\nadvance n=2500 unit=1", "", ""}, // it gives up
		{"answer-waits 4 ms=65535\nadvance n=3 unit=3", first, first},
		{"answer-waits 4 ms=1500 times=2\nadvance n=2900 unit=1", "hello\n", first},
		{"answer-waits 4 ms=1500 times=2\nadvance n=3 unit=3", first, first},
		{"answer-waits 4 ms=0 hold\nadvance n=1 unit=1\nanswer-waits 4 ms=5\nadvance n=1 unit=4", first, first + "number 2\n"},
		{"settle\nanswer-waits 4 ms=5\nadvance n=60005 unit=1", first + "number 2\n", first + "number 2\n"},
		{"answer-waits 4 ms=5\nsend 4 word=0", "number 7\n", "number 7\n"},                    // of its own accord
		{"settle\nanswer-waits 4 ms=5\nreset 4\nadvance n=1004 unit=1", first, first + first}, // of the next connection
		{"settle\nreset 4\nanswer-waits 4 ms=5\nadvance n=1005 unit=1", first + first, first + first},
		{"answer-waits 4 ms=5\nreset 4\nadvance n=1004 unit=1", first, first}, // the first was for the one that was reset
	} {
		var heard strings.Builder
		var then string
		e := newEngine(greetedSpec(greetedPausing, greeted{heard: &heard}))
		e.world.Attach(atStage{func() { then = heard.String() }})
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		if f := e.check(tr, true); f != nil {
			t.Errorf("%q: %v", c.trace, f)
		}
		e.run(tr)
		if end := heard.String(); then != c.want || !strings.HasPrefix(end, c.end) {
			t.Errorf("%q: when faults cease %q, at the end %q: want %q, %q", c.trace, then, end, c.want, c.end)
		}
	}
}

// A client that closes and dials again finds a server each time, although no event ends the
// connections.
func TestReconnects(t *testing.T) {
	t.Parallel()
	const times = 20
	for _, pace := range []string{"", "pace 4\npace 5\npace 6\npace 7\n"} {
		var heard strings.Builder
		var then string
		e := newEngine(greetedSpec(greetedPausing, greeted{once: true, heard: &heard}))
		e.world.Attach(atStage{func() { then = heard.String() }})
		tr, err := trace.Parse(pace + fmt.Sprintf("advance n=%d unit=3", times-1))
		if err != nil {
			t.Fatal(err)
		}
		if f := e.check(tr, true); f != nil {
			t.Error(f)
		}
		e.run(tr)
		if want := strings.Repeat("hello\nnumber 1\n", times); then != want {
			t.Errorf("%q: got %q: want %d answers", pace, then, times)
		}
	}
	if found := Find(greetedSpec(greetedPausing, greeted{once: true}), 1, Budget{Runs: testenv.Pick(50, 1000)}); found.Failure != nil {
		t.Error(found.Explain())
	}
}
