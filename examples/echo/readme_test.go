package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stator-go/stator/internal/markdown"
)

const readme = "../../README.md"

// README shows parts of this program's files, as they are, and of echo.go all: so what it
// shows compiles, and is tested.
func TestReadmeShowsTheProgram(t *testing.T) {
	blocks, err := markdown.Blocks(readme)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string // of echo.go
	files := map[string]bool{}
	for _, b := range blocks {
		if b.Lang != "go" {
			continue
		}
		source, err := os.ReadFile(b.Arg)
		if err != nil {
			t.Errorf("%s: block %q: want a file of examples/echo: %v", b, b.Arg, err)
			continue
		}
		files[b.Arg] = true
		if b.Arg == "echo.go" {
			shown = append(shown, b.Text)
		} else if !strings.HasSuffix(string(source), "\n\n"+b.Text) {
			t.Errorf("%s is not the end of %s", b, b.Arg)
		}
	}
	source, err := os.ReadFile("echo.go")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(shown, "\n"); got != string(source) {
		t.Errorf("README's blocks of echo.go, together, are\n%s\nwant\n%s", got, source)
	}
	for _, file := range []string{"main.go", "fuzz_test.go"} {
		if !files[file] {
			t.Errorf("README shows nothing of %s", file)
		}
	}
}

// README has the diagram that go run ./examples/echo -diagram prints.
func TestReadmeShowsTheDiagram(t *testing.T) {
	blocks, err := markdown.Blocks(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.Lang == "mermaid" {
			if want := newEcho().Mermaid(); b.Text != want {
				t.Errorf("%s shows\n%s\nwant\n%s", b, b.Text, want)
			}
			return
		}
	}
	t.Error("README has no diagram")
}
