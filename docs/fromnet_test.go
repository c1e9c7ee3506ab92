package docs

import (
	"slices"
	"testing"

	"github.com/stator-go/stator/internal/uppertest"
)

// The line servers of FROM-NET.md do the same. That over gnet is tested in module bench,
// which has gnet.
func TestFromNet(t *testing.T) {
	needs(t, "go")
	var found []string
	for _, b := range blocks(t, "FROM-NET.md") {
		if b.Lang != "go" {
			continue
		}
		found = append(found, b.Arg)
		if b.Arg != "gnet/main.go" {
			t.Run(b.Arg, func(t *testing.T) {
				t.Parallel()
				uppertest.Check(t, "..", b.Text)
			})
		}
	}
	if want := []string{"net/main.go", "stator/main.go", "gnet/main.go"}; !slices.Equal(found, want) {
		t.Errorf("FROM-NET.md has the programs %q: want %q", found, want)
	}
}
