package main

import (
	"strings"
	"time"

	"github.com/stator-go/stator/eval/planted"
	"github.com/stator-go/stator/fuzz"
)

// searcher is one method to search for bugs.
type searcher interface {
	name() string
	search(s *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (outcome, error)
}

// outcome is the result of one search. A found bug has all fields; else Runs, Events
// and Spent are those of the whole search.
type outcome struct {
	Found              bool
	Reached, Triggered bool
	Runs, Events       int           // up to the run that failed
	CPU                time.Duration // likewise, without shrinking
	Shrunk             int           // events of the shortest trace
	Oracle             string        // its name, without that of a model
	Spent              time.Duration // total CPU time, with shrinking
}

// simulated is a search of package fuzz. Its CPU time is measured by a second search
// with the same seed that ends before the run that fails, and so before shrinking. If a soak
// finds the bug, shrinking counts, too. There is one worker: a Plant is for one goroutine, and
// several searches run at a time.
type simulated struct {
	title    string
	strategy fuzz.Strategy
}

// soak is how long a soak may take, as in fuzz.Run.
const soak = 2 * time.Second

func (s simulated) name() string { return s.title }

func (s simulated) search(server *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (o outcome, err error) {
	p, begin := b.Plant(), cpu()
	found := fuzz.Find(server.Spec(p), seed, fuzz.Budget{Time: budget, Strategy: s.strategy, Soak: soak, Workers: 1})
	o = outcome{Spent: cpu() - begin, Runs: found.Runs, Events: found.Events, Reached: p.Reached > 0, Triggered: p.Triggered > 0}
	if found.Failure == nil {
		return o, nil
	}
	o.Found, o.Shrunk = true, len(found.Trace)
	o.Oracle, _, _ = strings.Cut(found.Failure.Oracle, ` "`)
	if found.Soaked > 0 {
		o.Events, o.CPU = o.Events+found.Soaked, o.Spent
	} else if found.Runs > 1 {
		begin = cpu()
		fuzz.Find(server.Spec(b.Plant()), seed, fuzz.Budget{Runs: found.Runs - 1, Strategy: s.strategy, Workers: 1})
		o.CPU = cpu() - begin
	}
	return o, nil
}
