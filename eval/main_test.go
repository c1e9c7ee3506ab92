package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/eval/planted"
)

func TestFlags(t *testing.T) {
	s, err := parse([]string{"-seeds", "3", "-budget", "2s", "-with", "random", "-bugs", "echo|tls"})
	if err != nil {
		t.Fatal(err)
	}
	if s.seeds != 3 || s.others != 3 || s.budget != 2*time.Second || len(s.searchers) != 2 || s.mutants != 0 {
		t.Errorf("got %+v", s)
	}
	if want := "go -C eval run . -seeds 3 -budget 2s -with random -bugs 'echo|tls'"; s.command != want {
		t.Errorf("command %s: want %s", s.command, want)
	}
	for _, args := range [][]string{{"-seeds", "0"}, {"-budget", "-1s"}, {"-with", "luck"}, {"-bugs", "("}, {"echo"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%q is accepted: want an error", args)
		}
	}
}

// The table of one bug that is found, and of its server without a bug.
func TestTable(t *testing.T) {
	s, err := parse([]string{"-seeds", "2", "-budget", "10s", "-with", "random", "-bugs", "^echo/end-ignored$"})
	if err != nil {
		t.Fatal(err)
	}
	server := ownerOf("echo.go")
	r, err := measure(s, s.searchers, server, planted.Bug{Name: "echo/end-ignored", What: "a | b"})
	if err != nil {
		t.Fatal(err)
	}
	table := table{settings: s, rows: []*row{r}, gates: []gate{{server: "echo", runs: 12345, events: 7}}}
	var text strings.Builder
	table.print(&text)
	for _, want := range []string{s.command, `| a \| b `, "|     2/2 |", "| quiescence |", "| package fuzz |                 1 of 1 |", "| 12,345 |", "nothing |"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}
