package fuzz_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
)

const peer reactor.Port = 0

// door opens at the third knock, and should close again.
type door struct {
	probe  probe.Probe // zero in production
	knocks int
}

type cx = reactor.Context[reactor.None]

func newDoor() *reactor.Kind[door, reactor.None] {
	return reactor.Must(reactor.NewKind("door", reactor.Options{Ports: []string{"peer"}}, reactor.Table[door, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "closed", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*door).knock}}))
}

func (d *door) knock(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	d.knocks += strings.Count(string(in), "knock")
	d.probe.Mark("knocks", d.knocks)
	d.probe.Sometimes("it opens", d.knocks == 3)
	d.probe.Always("three knocks at most", d.knocks <= 3)
	cx.Discard(peer, len(in))
	return fsm.Stay
}

func doorSpec() fuzz.Spec {
	kind := newDoor()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", door{probe: w.Probe()})
			return err
		},
		Dict: []string{"knock", "go away"},
	}
}

// A search finds a trace that fails, and shrinks it.
func ExampleFind() {
	found := fuzz.Find(doorSpec(), 1, fuzz.Budget{Runs: 1000})
	fmt.Println(found.Failure)
	fmt.Print(found.Trace)
	// Output:
	// always: three knocks at most
	// dial 0 listener=0
	// send 0 word=0 more=3
}

// Try all traces of at most three events: none fails. The door opens in none of them, so
// the condition is in Unseen.
func ExampleExhaustive() {
	found := fuzz.Find(doorSpec(), 1, fuzz.Budget{Strategy: fuzz.Exhaustive(3)})
	fmt.Println(found.Failure, found.Done, found.Unseen)
	// Output: <nil> true [it opens]
}

// A trace is text, and can be written by hand.
func ExampleReplay() {
	tr, err := trace.Parse(`
		dial 0
		send 0 word=0 more=2 # knock knock knock
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	found := fuzz.Replay(doorSpec(), tr)
	fmt.Println(found.Failure, found.Unseen)
	// Output: <nil> []
}

// Each loop has a copy of a register. It answers at once and sends new values to the other
// copy later, so the copies do not behave like one register.
func ExampleLinear() {
	register := fuzz.Linear("register", fuzz.Model[string, string]{
		New: func() string { return "empty" },
		Input: func(in []byte) (string, int, bool) {
			line, _, whole := strings.Cut(string(in), "\n")
			return line, len(line) + 1, whole
		},
		Step: func(value *string, in string) string {
			if set, ok := strings.CutPrefix(in, "set "); ok {
				*value = set
				return "ok\n"
			}
			return *value + "\n"
		},
	})
	kind := newRegister()
	spec := fuzz.Spec{
		Loops: 2, Dict: []string{"set 1\n", "get\n"}, Oracles: []fuzz.Oracle{register},
		Setup: func(w *fuzz.World) error {
			for i := range w.Loops() {
				if _, err := kind.Listen(w.Loop(i), "tcp", fmt.Sprint(":", 7000+i), session{value: new(string)}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	tr, err := trace.Parse(`
		dial 0 listener=0
		send 0 word=0
		dial 1 listener=1
		send 1 word=1
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fuzz.Replay(spec, tr).Failure)
	// Output: linearizability "register": no order of the 2 inputs explains that connection 1 gets "empty\n" for "get", sent in event 4: with 1 of them before it, it would get "1\n"
}

// session serves the register of its loop.
type session struct{ value *string }

func newRegister() *reactor.Kind[session, reactor.None] {
	return reactor.Must(reactor.NewKind("register", reactor.Options{Ports: []string{"peer"}}, reactor.Table[session, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "serving", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*session).serve}}))
}

func (s *session) serve(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	line, _, whole := strings.Cut(string(in), "\n")
	if !whole {
		return fsm.Stay
	}
	cx.Discard(peer, len(line)+1)
	answer := "ok"
	if set, ok := strings.CutPrefix(line, "set "); ok {
		*s.value = set
	} else if answer = *s.value; answer == "" {
		answer = "empty"
	}
	return cx.Fail(cx.Write(peer, []byte(answer+"\n")))
}
