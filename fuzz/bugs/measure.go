package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/bugs/planted"
)

// outcome is what one search came to.
type outcome struct {
	found              bool
	reached, triggered bool
	runs, events       int           // until it was found
	cpu                time.Duration // likewise
	shrunk             int           // events of the shortest trace
	oracle             string
}

// row is what all searches for a bug came to.
type row struct {
	bug    planted.Bug
	guided []outcome
	others [][]outcome // of each rival
}

func measure(s settings, server *planted.Server, b planted.Bug) (*row, error) {
	r := &row{bug: b}
	for seed := range uint64(s.seeds) {
		r.guided = append(r.guided, guided(server, b, seed+1, s.budget))
	}
	fmt.Fprintf(os.Stderr, "%s: found %s", b.Name, foundOf(r.guided))
	for _, other := range s.rivals {
		var all []outcome
		for seed := range uint64(s.others) {
			o, err := other.search(server, b, seed+1, s.budget)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", b.Name, other.name(), err)
			}
			all = append(all, o)
		}
		r.others = append(r.others, all)
		fmt.Fprintf(os.Stderr, ", by %s %s", other.name(), foundOf(all))
	}
	fmt.Fprintln(os.Stderr)
	return r, nil
}

// guided is a search of package fuzz. What it took is measured by a second one, that
// ends before the run that fails, and so before shrinking.
func guided(server *planted.Server, b planted.Bug, seed uint64, budget time.Duration) outcome {
	p := &planted.Plant{Bug: b.Name}
	found := fuzz.Find(server.Spec(p), seed, fuzz.Budget{Time: budget})
	o := outcome{runs: found.Runs, events: found.Events, reached: p.Reached > 0, triggered: p.Triggered > 0}
	if found.Failure == nil {
		return o
	}
	o.found, o.shrunk, o.oracle = true, len(found.Trace), letter(found.Failure.Oracle)
	if found.Runs > 1 {
		begin := cpu()
		fuzz.Find(server.Spec(&planted.Plant{Bug: b.Name}), seed, fuzz.Budget{Runs: found.Runs - 1})
		o.cpu = cpu() - begin
	}
	return o
}

// letter is an oracle's short name.
func letter(oracle string) string {
	short, _, _ := strings.Cut(oracle, " ")
	return short
}

// gate is a right server's run.
type gate struct {
	server  string
	runs    int
	events  int
	cpu     time.Duration
	failure string
}

// guard runs a right server 100 times as long as its median bug took.
func guard(server *planted.Server, rows []*row) gate {
	var runs []int
	for _, r := range rows {
		if n, ok := median(r.guided, func(o outcome) int { return o.runs }); ok {
			runs = append(runs, n)
		}
	}
	g := gate{server: server.Name}
	if len(runs) == 0 {
		return g
	}
	slices.Sort(runs)
	begin := cpu()
	found := fuzz.Find(server.Spec(new(planted.Plant)), 1, fuzz.Budget{Runs: 100 * runs[len(runs)/2]})
	g.runs, g.events, g.cpu = found.Runs, found.Events, cpu()-begin
	if found.Failure != nil {
		g.failure = found.Failure.Error()
	}
	fmt.Fprintf(os.Stderr, "%s, right: %d runs %s\n", server.Name, g.runs, g.failure)
	return g
}

func found(all []outcome) (n int) {
	for _, o := range all {
		if o.found {
			n++
		}
	}
	return n
}

func foundOf(all []outcome) string { return fmt.Sprintf("%d of %d", found(all), len(all)) }

// median is that of the searches that found something.
func median[T cmp.Ordered](all []outcome, what func(outcome) T) (m T, ok bool) {
	var values []T
	for _, o := range all {
		if o.found {
			values = append(values, what(o))
		}
	}
	if len(values) == 0 {
		return m, false
	}
	slices.Sort(values)
	return values[len(values)/2], true
}
