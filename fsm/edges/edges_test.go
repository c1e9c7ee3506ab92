package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stator-go/stator/internal/golden"
)

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int
	}{
		{"right", []string{"-v", "./testdata/right"}, 0},
		{"flow", []string{"-v", "./testdata/flow"}, 0},
		{"wrong", []string{"./testdata/wrong"}, 1},
		{"unknown", []string{"-v", "./testdata/unknown"}, 0},
		{"all", []string{"./testdata/right", "./testdata/wrong", "./testdata/unknown"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if status := run(c.args, &out, &errs); status != c.status || errs.Len() > 0 {
				t.Errorf("status %d, want %d; stderr %q", status, c.status, errs.String())
			}
			golden.Check(t, c.name+".txt", out.String())
		})
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"-h"}, 0, "usage: edges"},
		{[]string{"-nonsense"}, 2, "usage: edges"},
		{[]string{"./testdata/none"}, 2, "edges: go list:"},
		{[]string{"./testdata/broken"}, 2, "broken.go:6"},
	} {
		var out, errs bytes.Buffer
		if status := run(c.args, &out, &errs); status != c.status || !strings.Contains(errs.String(), c.stderr) || out.Len() > 0 {
			t.Errorf("%v: status %d, want %d; stderr %q, stdout %q", c.args, status, c.status, errs.String(), out.String())
		}
	}
}
