package docs

import (
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	file = regexp.MustCompile(`(?:^|[^\w./])((?:fsm|reactor|examples|internal)/[\w./]*\.go)\b`)
)

// What the documents link to or name is there.
func TestLinks(t *testing.T) {
	checked := 0
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var targets []string
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target != "" && !strings.Contains(target, "://") {
				targets = append(targets, filepath.Join(filepath.Dir(name), target))
			}
		}
		for _, m := range file.FindAllStringSubmatch(string(text), -1) {
			targets = append(targets, filepath.Join("..", m[1]))
		}
		for _, target := range targets {
			checked++
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d links found: want more than 50, as ARCHITECTURE.md alone has", checked)
	}
}

// documents returns the names of the documents that are checked.
func documents(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(names, "../README.md")
}

// The code that the documents show is as gofmt writes it.
func TestGoIsFormatted(t *testing.T) {
	for _, name := range documents(t) {
		for _, b := range blocks(t, name) {
			if b.Lang != "go" {
				continue
			}
			formatted, err := format.Source([]byte(b.Text))
			if err != nil {
				t.Errorf("%s: %v", b, err)
			} else if string(formatted) != b.Text {
				t.Errorf("%s: gofmt would make it\n%s", b, formatted)
			}
		}
	}
}
