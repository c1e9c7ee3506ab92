package main

import (
	"os"
	"testing"

	"github.com/stator-go/stator/internal/markdown"
	"github.com/stator-go/stator/internal/uppertest"
)

// The server over gnet of docs/FROM-NET.md is this program, and does what those over
// other libraries do.
func TestFromNetShowsThisProgram(t *testing.T) {
	source, err := os.ReadFile("main_linux.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := markdown.Blocks("../../docs/FROM-NET.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.Lang == "go" && b.Arg == "gnet/main.go" {
			if b.Text != string(source) {
				t.Errorf("%s differs from main_linux.go", b)
			}
			uppertest.Check(t, ".", b.Text)
			return
		}
	}
	t.Error("FROM-NET.md has no block gnet/main.go")
}
