package fuzz

import (
	"strings"
	"testing"

	"github.com/stator-go/stator/fuzz/trace"
)

// A message's row names the machine that gets it, and shows the message, in the table and in
// the diagram.
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
		"message to slot 0 of loop 2", "courier: carrying", `fuzz.letter{from:slot 0 line:"b\n"}`,
		"message to slot 0 of loop 1", "office: open",
		"message to slot 1 of loop 0",
		`Note over machines: courier. carrying (message to slot 0 of loop 2 fuzz.letter{from.slot 0 line."b\n"})`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if again := Replay(s, tr).Explain(); again != text {
		t.Errorf("the same run is explained as\n%s\nand as\n%s", text, again)
	}
}
