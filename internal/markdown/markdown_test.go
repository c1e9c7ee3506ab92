package markdown

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBlocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	text := "words\n```go main.go\npackage main\n\nfunc main() {}\n```\nmore\n```\nplain\n```\n"
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := Blocks(file)
		if err != nil {
			t.Fatal(err)
		}
		want := []Block{
			{file, 2, "go", "main.go", "package main\n\nfunc main() {}\n"},
			{file, 8, "", "", "plain\n"},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestBlockThatIsNotClosed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	if err := os.WriteFile(file, []byte("```go\npackage main\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Blocks(file); err == nil {
		t.Error("no error: want one that names line 1")
	}
}
