package main

import (
	"os"
	"strings"
	"testing"
)

// The README shows this program's machine, the function that runs it, its diagram and its
// fuzz test exactly as they are here.
func TestReadmeShowsTheMachine(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("echo.go")
	if err != nil {
		t.Fatal(err)
	}
	_, machine, _ := strings.Cut(string(source), "const peer")
	source, err = os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, serve, _ := strings.Cut(string(source), "func serve(")
	if source, err = os.ReadFile("fuzz_test.go"); err != nil {
		t.Fatal(err)
	}
	_, fuzzed, _ := strings.Cut(string(source), "func TestFuzz(")
	for name, want := range map[string]string{
		"fuzz_test.go": "```go\nfunc TestFuzz(" + fuzzed + "```\n",
		"echo.go":      "```go\nconst peer" + machine + "```\n",
		"main.go":      "```go\nfunc serve(" + serve + "```\n",
		"the diagram of `go run ./examples/echo -diagram`": "```mermaid\n" + newEcho().Mermaid() + "```\n",
	} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("README.md lacks %s:\n%s", name, want)
		}
	}
}
