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
		{"blind", []string{"-v", "./testdata/blind"}, 0},
		{"all", []string{"./testdata/right", "./testdata/wrong", "./testdata/blind"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if status := run(c.args, &out, &errs); status != c.status || errs.Len() > 0 {
				t.Errorf("status %d, want %d; said %q", status, c.status, errs.String())
			}
			golden.Check(t, c.name+".txt", out.String())
		})
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
