package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Searches whose results are kept are not made again. An incomplete last line is not
// kept.
func TestResultsAreKept(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	made := 0
	search := func() ([]outcome, error) { made++; return []outcome{{Found: true, Runs: made}}, nil }
	for round, want := range []struct{ made, runs int }{{1, 1}, {1, 1}, {2, 2}} {
		r, err := openResults(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := r.get("a bug", search)
		if err != nil {
			t.Fatal(err)
		}
		if made != want.made || len(all) != 1 || all[0].Runs != want.runs {
			t.Errorf("round %d: made %d times, %+v: want %+v", round, made, all, want)
		}
		if err := r.file.Close(); err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, text[:len(text)-1], 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}
