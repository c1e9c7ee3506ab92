package main

import (
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/bugs/planted"
)

// searcher is a way to search.
type searcher interface {
	name() string
	search(s *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (outcome, error)
}

// outcome is what one search came to.
type outcome struct {
	Found              bool
	Reached, Triggered bool
	Runs, Events       int           // until it was found
	CPU                time.Duration // likewise
	Shrunk             int           // events of the shortest trace
	Oracle             string        // its short name
	Spent              time.Duration // CPU time in all, with shrinking
}

// guided is a search of package fuzz. What it took is measured by a second one, that
// ends before the run that fails, and so before shrinking.
type guided struct{}

func (guided) name() string { return "fuzz" }

func (guided) search(server *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (o outcome, err error) {
	p, begin := b.Plant(), cpu()
	found := fuzz.Find(server.Spec(p), seed, fuzz.Budget{Time: budget})
	o = outcome{Spent: cpu() - begin, Runs: found.Runs, Events: found.Events, Reached: p.Reached > 0, Triggered: p.Triggered > 0}
	if found.Failure == nil {
		return o, nil
	}
	o.Found, o.Shrunk = true, len(found.Trace)
	o.Oracle, _, _ = strings.Cut(found.Failure.Oracle, " ")
	if found.Runs > 1 {
		begin = cpu()
		fuzz.Find(server.Spec(b.Plant()), seed, fuzz.Budget{Runs: found.Runs - 1})
		o.CPU = cpu() - begin
	}
	return o, nil
}

// random draws every trace anew: a search that forgets its corpus each eight runs, of
// which it judges one deeply, as any search does.
type random struct{}

func (random) name() string { return "random" }

func (random) search(server *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (o outcome, err error) {
	spec := server.Spec(b.Plant())
	start, begin := time.Now(), cpu()
	for part := uint64(0); time.Since(start) < budget; part++ {
		before := cpu()
		found := fuzz.Find(spec, seed<<32|part, fuzz.Budget{Runs: 8})
		o.Runs, o.Events = o.Runs+found.Runs, o.Events+found.Events
		if found.Failure != nil {
			o.Found, o.CPU = true, before-begin // without shrinking
			break
		}
	}
	o.Spent = cpu() - begin
	return o, nil
}
