package fuzz

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

// reply is what offloaded work sends to the clerk that asked.
type reply struct {
	number int
	line   string
}

// clerk answers lines with what work makes of them: capitals. It waits for 50 ms, and then says
// that it has no answer. Its mistake, if it makes one, is planted by wrong.
type clerk struct {
	spawn func(func())
	probe probe.Probe
	wrong string
	asked int
	line  string
}

type clerkCx = reactor.Context[reply]

const (
	clerkReading = fsm.First + iota
	clerkAsking
)

var clerkKind = reactor.Must(reactor.NewKind("clerk", reactor.Options{Ports: []string{"peer"}, Queue: 1 << 12, Mailbox: 1 << 12}, reactor.Table[clerk, reply]{
	{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnMessage: (*clerk).answer},
	clerkReading: {Name: "reading", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*clerk).read, To: fsm.To(clerkAsking)},
	clerkAsking: {Name: "asking", Within: fsm.After(50*time.Millisecond, clerkReading), OnExit: func(c *clerk, cx *clerkCx) {
		if c.line != "" {
			cx.Write(peer, []byte("?"))
		}
	}},
}))

func (c *clerk) read(cx *clerkCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 {
		return fsm.Stay
	}
	c.asked++
	c.line = string(in[:n])
	cx.Discard(peer, n)
	to, r := cx.Self(), reply{c.asked, strings.ToUpper(c.line)}
	c.spawn(func() { to.Send(r) })
	if c.wrong == "order" {
		return fsm.Stay
	}
	return clerkAsking
}

func (c *clerk) answer(cx *clerkCx, r *reply) reactor.State {
	switch {
	case c.wrong == "late" && c.line != "", c.wrong == "order":
		c.probe.Always("the answer is to the question", c.wrong == "order" || r.line == strings.ToUpper(c.line))
	case r.number != c.asked || c.line == "":
		return fsm.Stay // too late
	}
	c.line = ""
	if err := cx.Write(peer, []byte(r.line)); err != nil {
		return cx.Fail(err)
	}
	if c.wrong == "order" {
		return fsm.Stay
	}
	return clerkReading
}

// clerkSpec returns the Spec of a clerk. A question that is not answered in time says "?".
func clerkSpec(wrong string) Spec {
	spec := Spec{Dict: []string{"a\n", "b\n", "c\n"}, Without: HangUp | LateEnd, Setup: func(w *World) error {
		_, err := clerkKind.Listen(w.Loop(0), "tcp", ":7000", clerk{spawn: w.Go, probe: w.Probe(), wrong: wrong})
		return err
	}}
	if wrong == "order" {
		spec.Oracles = []Oracle{PerConn("lines", Model[struct{}, string]{
			Input: func(in []byte) (string, int, bool) {
				n := bytes.IndexByte(in, '\n') + 1
				return string(in[:n]), n, n > 0
			},
			Step: func(_ *struct{}, line string) string { return strings.ToUpper(line) },
		})}
	}
	return spec
}

// Answers of work that come late, or in another order, are found.
func TestLateWork(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"late", "order"} {
		for seed := range uint64(testenv.Pick(2, 10)) {
			found := Find(clerkSpec(wrong), seed, Budget{Runs: 1000})
			if found.Failure == nil {
				t.Errorf("%s: seed %d: %v", wrong, seed, found)
				continue
			}
			text := found.Explain()
			for _, want := range []string{"work-waits", "faults that struck: ", "work 1 begins", "work 1 ends"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: seed %d: no %q in\n%s", wrong, seed, want, text)
				}
			}
			if len(found.Trace) > 7 {
				t.Errorf("%s: seed %d: not shrunk:\n%s", wrong, seed, text)
			}
		}
	}
	if found := Find(clerkSpec(""), 1, Budget{Runs: testenv.Pick(300, 2000)}); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// Work runs when the trace says, and in any case before faults have ceased.
func TestWorkWaits(t *testing.T) {
	var order []string
	spec := echoSpec()
	setup := spec.Setup
	spec.Setup = func(w *World) error {
		order = nil
		w.Action("work", func(arg int) {
			w.Go(func() {
				order = append(order, string(rune('a'+arg)))
				if arg == 3 {
					w.Go(func() { order = append(order, "of d") })
				}
			})
		})
		return setup(w)
	}
	for _, c := range []struct{ trace, at, end string }{
		{"act 0 arg=0\nact 0 arg=1\n", "a b", "a b"},
		{"act 0 arg=3\nact 0 arg=1\n", "d of d b", "d of d b"},
		{"work-waits ms=5 turns=0\nact 0 arg=0\nact 0 arg=1\n", "b", "b a"},
		{"work-waits ms=5\nact 0 arg=0\nact 0 arg=1\nadvance n=5 unit=1", "b a", "b a"},
		{"work-waits ms=5\nwork-waits ms=4\nact 0 arg=0 hold\nact 0 arg=1\nadvance n=5 unit=1", "b a", "b a"},
		{"work-waits ms=0 turns=1\nact 0 arg=0 hold\nact 0 arg=1", "b a", "b a"},
		{"act 0 arg=0 hold\nact 0 arg=1 hold", "", "a b"},
	} {
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		e := newEngine(spec)
		at := ""
		e.world.Attach(atStage{func() { at = strings.Join(order, " ") }})
		if f := e.run(tr); f != nil {
			t.Error(f)
		}
		if end := strings.Join(order, " "); at != c.at || end != c.end {
			t.Errorf("%s\nin the trace: %q, want %q; at the end: %q, want %q", c.trace, at, c.at, end, c.end)
		}
	}
}

// Work that panics, and work that hands in more and more, is a failure that names it.
func TestWrongWork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		work func(*World)
		want string
	}{
		{func(*World) { panic("no answer") }, "panic: work 1 panicked: no answer"},
		{func(w *World) {
			var again func()
			again = func() { w.Go(again) }
			again()
		}, "livelock: "},
	} {
		spec := echoSpec()
		setup := spec.Setup
		spec.Setup = func(w *World) error {
			w.Go(func() {})
			w.Go(func() { c.work(w) })
			return setup(w)
		}
		if found := Replay(spec, nil); found.Failure == nil || !strings.HasPrefix(found.Failure.Error(), c.want) {
			t.Errorf("got %v, want %q", found.Failure, c.want)
		}
	}
}
