package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is found to testdata, to be reviewed")

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int
	}{
		{"right", []string{"-v", "./testdata/right"}, 0},
		{"flow", []string{"-v", "./testdata/flow"}, 0},
		{"wrong", []string{"./testdata/wrong"}, 1},
		{"blind", []string{"-v", "./testdata/blind"}, 0},
		{"all", []string{"./testdata/right", "./testdata/wrong", "./testdata/blind"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if status := run(c.args, &out, &errs); status != c.status || errs.Len() > 0 {
				t.Errorf("status %d, want %d; said %q", status, c.status, errs.String())
			}
			golden(t, c.name+".txt", out.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(string(want), "\r\n", "\n"); got != want {
		t.Errorf("found\n%s\nwant (%s)\n%s", got, path, want)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-h"}, 0, "usage: edges"},
		{[]string{"-nonsense"}, 2, "usage: edges"},
		{[]string{"./testdata/none"}, 2, "edges: go list:"},
		{[]string{"./testdata/broken"}, 2, "broken.go:6"},
	} {
		var out, errs bytes.Buffer
		if status := run(c.args, &out, &errs); status != c.status || !strings.Contains(errs.String(), c.says) || out.Len() > 0 {
			t.Errorf("%v: status %d, want %d; said %q, printed %q", c.args, status, c.status, errs.String(), out.String())
		}
	}
}
