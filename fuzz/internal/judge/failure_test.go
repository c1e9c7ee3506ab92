package judge

import (
	"strings"
	"testing"
)

// Two failures are the same if oracle, state and place are the same.
func TestSameFailure(t *testing.T) {
	f := Failure{Oracle: "panic", State: "armed", Text: `bomb got "x\"y" at 7`, Stack: []byte("goroutine 1\npanic({})\n\t/go/src/runtime/panic.go:1 +0x1\nmain.f()\n\t/a/b.go:12 +0x7\n")}
	if f.place() != "/a/b.go:12" {
		t.Errorf("it panicked at %q", f.place())
	}
	for _, c := range []struct {
		change func(*Failure)
		same   bool
	}{
		{func(g *Failure) { g.Text = `bomb got "z" at 12` }, true},
		{func(g *Failure) { g.Text = `bomb got no "z" at 12` }, false},
		{func(g *Failure) { g.Oracle = "E" }, false},
		{func(g *Failure) { g.State = "defused" }, false},
		{func(g *Failure) { g.Kind, g.Text = "less", "bomb" }, false},
		{func(g *Failure) { g.Stack = []byte(strings.Replace(string(g.Stack), ":12", ":13", 1)) }, false},
	} {
		g := f
		if c.change(&g); g.Same(&f) != c.same {
			t.Errorf("%v: same %v", g, !c.same)
		}
	}
}
