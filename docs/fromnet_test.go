package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stator-go/stator/internal/markdown"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/internal/uppertest"
)

// The line servers of FROM-NET.md do the same, but for those that also bound a line. That
// over gnet is tested in module bench, which has gnet.
func TestFromNet(t *testing.T) {
	if !testenv.Long() {
		t.Skip("it compiles programs: set STATOR_LONG=1")
	}
	needs(t, "go")
	var found []string
	programs := map[string]string{}
	for _, b := range blocks(t, "FROM-NET.md") {
		name, program := b.Arg, b.Text
		switch b.Lang {
		case "go":
		case "diff":
			name, program = "changed "+b.Arg, patch(t, programs[b.Arg], b)
		default:
			continue
		}
		found = append(found, name)
		programs[name] = program
	}
	if want := []string{"net/main.go", "stator/main.go", "changed stator/main.go", "gnet/main.go"}; !slices.Equal(found, want) {
		t.Errorf("FROM-NET.md has the programs %q: want %q", found, want)
	}
	check := func(name string, more ...uppertest.Promise) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			uppertest.Check(t, "..", programs[name], more...)
		})
	}
	check("net/main.go", uppertest.BoundsLines)
	check("stator/main.go")
	check("changed stator/main.go", uppertest.BoundsLines)
}

// patch replaces lines of a program. In the diff, a line that goes, with "-", stands before
// the one that comes, with "+".
func patch(t *testing.T, program string, diff markdown.Block) string {
	t.Helper()
	old := ""
	for line := range strings.Lines(diff.Text) {
		switch line[0] {
		case '-':
			old = "\n" + line[1:]
			if strings.Count(program, old) != 1 {
				t.Fatalf("%s: %d lines %q in %s: want 1", diff, strings.Count(program, old), line[1:], diff.Arg)
			}
		case '+':
			program = strings.Replace(program, old, "\n"+line[1:], 1)
		default:
			t.Fatalf("%s: line %q: want one with - or +", diff, line)
		}
	}
	return program
}
