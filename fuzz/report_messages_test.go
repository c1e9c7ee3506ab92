package fuzz

import (
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// The rows of a message name the machines that send and get it, and show the message, in the
// table and in the diagram.
func TestReportNamesMessages(t *testing.T) {
	s := lettersSpec([]int{2})
	s.Oracles = []Oracle{PerConn("silence", Model[struct{}, string]{
		Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
		Step:  func(*struct{}, string) string { return "" },
	})}
	tr, err := trace.Parse("dial 0\ndial 1\nsend 0 word=1\n")
	if err != nil {
		t.Fatal(err)
	}
	found := Replay(s, tr)
	if found.Failure == nil {
		t.Fatal("want a failure")
	}
	text := found.Explain()
	for _, want := range []string{
		"sends to courier 0 of loop 2        writer 0", "courier 0 of loop 2 gets a message  courier: carrying", `fuzz.letter{from:slot 0 line:"b\n"}`,
		"office 0 of loop 1 gets a message   office: open",
		"writer 1 gets a message             writer: writing",
		"participant m1 as courier 0 of loop 2\n", "participant m2 as writer 0\n",
		`m2->>m1: fuzz.letter{from.slot 0 line."b\n"}`,
		`Note over m1: courier. carrying (gets a message fuzz.letter{from.slot 0 line."b\n"})`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if again := Replay(s, tr).Explain(); again != text {
		t.Errorf("the same run is explained as\n%s\nand as\n%s", text, again)
	}
}

// A message that is refused has one row, which says why, and names who sent it.
func TestReportNamesRefusedMessages(t *testing.T) {
	k := reactor.Must(reactor.NewKind("keeper", reactor.Options{Mailbox: 1}, reactor.Table[struct{}, int]{
		{Shutdown: fsm.Stop},
		{Name: "keeping", Within: fsm.Never, OnMessage: func(*struct{}, *reactor.Context[int], *int) reactor.State { panic("enough") }},
	}))
	found := Replay(Spec{Setup: func(w *World) error {
		ref, err := k.Spawn(w.Loop(0), struct{}{})
		w.Action("tell", func(arg int) { ref.Send(arg) })
		return err
	}}, trace.Trace{{Op: trace.Act, A: 7, B: 1}})
	if found.Failure == nil {
		t.Fatal("want a failure")
	}
	text := strings.Join(strings.Fields(found.Explain()), " ")
	for _, want := range []string{
		`sends to keeper 0 action "tell" int(7)`,
		`cannot send to keeper 0: full action "tell" int(7)`,
		"keeper 0 gets a message keeper: keeping int(7)",
		`Note over m0: action "tell" sends to keeper 0 int(7)`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
