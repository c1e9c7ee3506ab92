// Eval measures how well package fuzz finds bugs. It searches for each bug of package
// planted, whose servers are correct except for the one bug, and for some bugs that
// package mutate generates, and prints a table.
//
//	go -C eval run . -seeds 5 -budget 10s
//	go -C eval run . -h
//
// A row of the table is a bug. A bug is reached in a search that runs the wrong line,
// triggered if that line made a difference, and found if an oracle reported a failure.
// Events and CPU seconds are medians over the searches that found the bug, without
// shrinking. Afterwards each server runs without a bug, 100 times as long as its median
// bug took, and nothing may be found.
//
// Other searches run beside it with the same time and models: traces whose events are
// all drawn at random; go test -fuzz with bytes for one connection in memory; and a
// state machine of pgregory.net/rapid over connections in memory. README.md has the
// results and explains the columns.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/eval/planted"
	"github.com/stator-go/stator/fuzz"
)

// settings holds the values of the flags, and the state of a run.
type settings struct {
	seeds     int
	others    int // seeds of each other search
	budget    time.Duration
	bugs      *regexp.Regexp
	name      string // the text of bugs
	searchers []searcher
	mutants   int
	gate      bool
	worker    string
	parallel  int
	kept      *results
	pace      *pace
	command   string
	stopped   chan os.Signal
}

func main() {
	s, err := parse(os.Args[1:])
	if err == nil {
		err = limitMemory()
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err == nil && s.worker != "":
		err = work(s)
	case err == nil:
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

func parse(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("eval", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: go -C eval run . [flags]\n\n"+
			"Searches for each planted bug, once per seed, and prints a table of what was found.\n"+
			"A search ends when it finds the bug, or when its budget is used up. Some bugs:\n\n"+
			"\tgo -C eval run . -bugs http/ -seeds 3 -budget 5s\n\n")
		flags.PrintDefaults()
	}
	flags.IntVar(&s.seeds, "seeds", 20, "searches per bug")
	flags.IntVar(&s.others, "others", -1, "searches per bug by each of the other searches; -1: as many as -seeds")
	flags.DurationVar(&s.budget, "budget", 30*time.Second, "time limit of a search")
	flags.StringVar(&s.name, "bugs", "", "a regular expression that selects bugs by name, as http/ or bare/.*close; by default all bugs, and mutants")
	with := flags.String("with", "random,bytes,rapid", "the other searches, a list of random, swarm, bytes and rapid; empty: none")
	flags.IntVar(&s.mutants, "mutants", 12, "number of bugs to generate by mutation, if -bugs is not given")
	flags.BoolVar(&s.gate, "gate", true, "also run the servers without a bug")
	flags.IntVar(&s.parallel, "parallel", runtime.NumCPU(), "number of searches at a time, each a process")
	state := flags.String("state", "", "a file for results, relative to eval: a run with the same file continues an interrupted one")
	flags.StringVar(&s.worker, "worker", "", "internal: make one search of this name, for the bug and the seed given by -bugs and -seeds, and print JSON")
	if err = flags.Parse(args); err != nil {
		return s, err
	}
	s.command = command(args)
	if flags.NArg() > 0 {
		return s, fmt.Errorf("argument %q: want only flags; -h lists them", flags.Arg(0))
	}
	if s.seeds < 1 || s.budget <= 0 {
		return s, fmt.Errorf("-seeds %d -budget %v: want both above 0", s.seeds, s.budget)
	}
	if s.parallel < 1 {
		return s, fmt.Errorf("-parallel %d: want at least 1", s.parallel)
	}
	if s.kept, err = openResults(*state); err != nil {
		return s, err
	}
	if s.others < 0 {
		s.others = s.seeds
	}
	if s.name != "" {
		s.mutants = 0
	}
	if s.worker != "" { // it makes any search
		*with = "random,swarm"
	}
	if s.searchers, err = searchers(*with); err == nil {
		s.bugs, err = regexp.Compile(s.name)
	}
	return s, err
}

// command returns the command line, as it can be typed again.
func command(args []string) string {
	text := "go -C eval run ."
	for _, a := range args {
		if strings.ContainsAny(a, " |*()[]$^?\\") || a == "" {
			a = "'" + a + "'"
		}
		text += " " + a
	}
	return text
}

// searchers returns the search of package fuzz, and the others of a list of names.
func searchers(with string) ([]searcher, error) {
	all := []searcher{simulated{"fuzz", fuzz.Guided}}
	known := []searcher{simulated{"random", fuzz.Random}, simulated{"swarm", fuzz.Swarm}, bytesProgram(), rapidProgram()}
	for _, name := range strings.FieldsFunc(with, func(r rune) bool { return r == ',' }) {
		at := slices.IndexFunc(known, func(s searcher) bool { return s.name() == name })
		if at < 0 {
			return nil, fmt.Errorf("-with %q: want random, swarm, bytes, rapid, separated by commas", name)
		}
		all = append(all, known[at])
	}
	return all, nil
}

// interrupted reports whether the user has interrupted the run.
func (s settings) interrupted() bool { return len(s.stopped) > 0 }

// run makes all searches and prints the table, also if it is interrupted or fails.
func run(s settings) error {
	s.stopped = make(chan os.Signal, 1)
	signal.Notify(s.stopped, os.Interrupt)
	home, err := home()
	if err != nil {
		return err
	}
	t := &table{settings: s}
	defer t.print(os.Stdout)
	for i, way := range s.searchers {
		p, ok := way.(*program)
		if !ok {
			p = own(way)
			s.searchers[i] = p
		}
		defer p.finish()
		if err := p.prepare(home, ""); err != nil {
			return err
		}
	}
	s.pace = &pace{begin: time.Now(), all: s.mutants}
	for _, server := range planted.Servers() {
		s.pace.all += count(server.Bugs, func(b planted.Bug) bool { return s.bugs.MatchString(b.Name) })
	}
	for _, server := range planted.Servers() {
		for _, b := range server.Bugs {
			if !s.bugs.MatchString(b.Name) || s.interrupted() {
				continue
			}
			row, err := measure(s, s.searchers, server, b)
			if err != nil {
				return err
			}
			t.rows = append(t.rows, row)
		}
	}
	if err := blind(s, t, home); err != nil {
		return err
	}
	for _, server := range planted.Servers() {
		if s.gate && slices.ContainsFunc(t.rows, func(r *row) bool { return r.server.Name == server.Name }) {
			t.gates = append(t.gates, guard(server, t.rows))
		}
	}
	return nil
}

// work makes one search in this process and prints its outcome, for a run of this
// program that has started it as a worker.
func work(s settings) error {
	name, _, _ := strings.Cut(s.name, "/")
	for _, server := range planted.Servers() {
		for _, way := range s.searchers {
			if server.Name != name || way.name() != s.worker {
				continue
			}
			o, err := way.search(server, planted.Bug{Name: s.name, Mutant: strings.Contains(s.name, planted.Mutant)}, uint64(s.seeds), s.budget)
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(o)
		}
	}
	return fmt.Errorf("-worker %s -bugs %s: want fuzz, random or swarm, and a server's name in front of a slash", s.worker, s.name)
}
