package main

import (
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 100, 1, 2}, 3},
	} {
		if got := median(test.of); got != test.want {
			t.Errorf("median of %v: %v, want %v", test.of, got, test.want)
		}
	}
}

func TestContestPrint(t *testing.T) {
	c := contest{
		title: "title", ours: "a", theirs: "b",
		columns: []column{{name: "rate", want: "0.95 or more"}, {name: "busy", decimals: 2}},
		pairs: []pair{
			{ours: []float64{90, 0.5}, theirs: []float64{100, 1}},
			{ours: []float64{99, 0.5}, theirs: []float64{110, 1}},
			{ours: []float64{120, 0.7}, theirs: []float64{100, 1}},
		},
	}
	var out strings.Builder
	if err := c.print(&out); err != nil {
		t.Fatal(err)
	}
	want := `
title

     run             server            rate  busy
       1                  a              90  0.50
       1                  b             100  1.00
       2                  a              99  0.50
       2                  b             110  1.00
       3                  a             120  0.70
       3                  b             100  1.00
  median                  a              99  0.50
  median                  b             100  1.00
   ratio                a/b           0.990      
    want                       0.95 or more      
   turns  lowest to highest  0.900 to 1.200      
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestContestPrintNothingCompared(t *testing.T) {
	c := contest{
		title: "title", ours: "a", theirs: "b", columns: []column{{name: "bytes"}},
		pairs: []pair{{ours: []float64{1}, theirs: []float64{0}}},
	}
	var out strings.Builder
	if err := c.print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "ratio") {
		t.Errorf("no column has a want, and the ratio is printed:\n%s", out.String())
	}
}
