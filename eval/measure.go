package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stator-go/stator/eval/planted"
	"github.com/stator-go/stator/fuzz"
)

// row holds the outcomes of all searches for a bug.
type row struct {
	server *planted.Server
	bug    planted.Bug
	guided []outcome
	others [][]outcome // of each of the others
}

// measure searches for a bug with each searcher. The first one must be that of package
// fuzz.
func measure(s settings, all []searcher, server *planted.Server, b planted.Bug) (*row, error) {
	r := &row{server: server, bug: b}
	fmt.Fprintf(os.Stderr, "%s: found", b.Name)
	for i, way := range all {
		seeds := s.seeds
		if i > 0 {
			seeds = s.others
		}
		if b.Needs != "" {
			seeds = 1 // no search is expected to find it: one shows that
		}
		outcomes, err := s.kept.get(s.key(b, way, seeds), func() ([]outcome, error) { return s.all(way, server, b, seeds) })
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", b.Name, way.name(), err)
		}
		if i == 0 {
			r.guided = outcomes
		} else {
			r.others = append(r.others, outcomes)
		}
		fmt.Fprintf(os.Stderr, " by %s %d/%d", way.name(), found(outcomes), seeds)
	}
	fmt.Fprintln(os.Stderr, s.pace.next())
	return r, nil
}

// pace estimates the time left. A nil *pace reports nothing.
type pace struct {
	begin     time.Time
	done, all int // bugs
}

// next counts a bug as done and returns the text about what is left.
func (p *pace) next() string {
	if p == nil {
		return ""
	}
	p.done++
	left := time.Since(p.begin) / time.Duration(p.done) * time.Duration(p.all-p.done)
	return fmt.Sprintf("; %d of %d, some %v left", p.done, p.all, left.Round(time.Second))
}

var errInterrupted = errors.New("interrupted: these are the results so far")

// all makes the searches for a bug with one searcher, one per seed. If each is a
// process, s.parallel of them run at a time.
func (s settings) all(way searcher, server *planted.Server, b planted.Bug, seeds int) ([]outcome, error) {
	most := 1
	if _, ok := way.(*program); ok {
		most = s.parallel
	}
	outcomes, errs := make([]outcome, seeds), make([]error, seeds)
	var running sync.WaitGroup
	free := make(chan bool, most)
	for i := range seeds {
		free <- true
		running.Go(func() {
			outcomes[i], errs[i] = way.search(server, b, uint64(i)+1, s.budget)
			<-free
		})
	}
	running.Wait()
	if s.interrupted() { // the searches got the signal, too
		return nil, errInterrupted
	}
	return outcomes, errors.Join(errs...)
}

// gate is the outcome of running a server without a bug.
type gate struct {
	server  string
	runs    int
	events  int
	cpu     time.Duration
	failure string
}

// leastRuns is the minimum number of runs of a server without a bug.
const leastRuns = 10_000

// guard runs a server without a bug, 100 times as many runs as its median bug took.
func guard(server *planted.Server, rows []*row) gate {
	var runs []int
	for _, r := range rows {
		if n, ok := median(r.guided, func(o outcome) int { return o.Runs }); ok && r.server.Name == server.Name {
			runs = append(runs, n)
		}
	}
	slices.Sort(runs)
	most := leastRuns
	if len(runs) > 0 {
		most = max(most, 100*runs[len(runs)/2])
	}
	begin := cpu()
	found := fuzz.Find(server.Spec(new(planted.Plant)), 1, fuzz.Budget{Runs: most, Soak: soak, Workers: 1})
	g := gate{server: server.Name, runs: found.Runs, events: found.Events, cpu: cpu() - begin}
	if found.Failure != nil {
		g.failure = found.Failure.Error()
	}
	fmt.Fprintf(os.Stderr, "%s, right: %d runs %s\n", server.Name, g.runs, g.failure)
	return g
}

func found(all []outcome) int { return count(all, func(o outcome) bool { return o.Found }) }

// median returns the median of a value over the searches that found the bug. It is not
// ok if there is none.
func median[T cmp.Ordered](all []outcome, what func(outcome) T) (m T, ok bool) {
	var values []T
	for _, o := range all {
		if o.Found {
			values = append(values, what(o))
		}
	}
	if len(values) == 0 {
		return m, false
	}
	slices.Sort(values)
	return values[len(values)/2], true
}
