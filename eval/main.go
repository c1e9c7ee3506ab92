// Eval measures how well package fuzz finds bugs: those of package planted, each in a
// server that is right but for it, and some that package mutate makes blindly.
//
//	go -C eval run . -seeds 5 -budget 10s
//
// A row is a bug. A bug is reached in a search that runs the wrong line, triggered
// when that line makes a difference, and found when an oracle says that something is
// wrong. Events and CPU seconds are the median of the searches that found it, without
// shrinking. Then every server without a bug runs 100 times as long as its median bug
// took, and nothing may be found.
//
// Beside it stand searches with less: traces drawn at random, each anew;
// go test -fuzz with bytes for one connection in memory; and a state machine of
// pgregory.net/rapid over connections in memory. They have the same time and models.
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

// settings are what the flags say.
type settings struct {
	seeds     int
	others    int // seeds of the searches compared with
	budget    time.Duration
	bugs      *regexp.Regexp
	name      string // as given for bugs
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
			"Searches for each planted bug, seeds times, and prints a table of what was found.\n"+
			"A search ends when it finds the bug, or after the budget.\n\n")
		flags.PrintDefaults()
	}
	flags.IntVar(&s.seeds, "seeds", 20, "searches a bug")
	flags.IntVar(&s.others, "others", -1, "searches a bug by each of the others, -1: as many")
	flags.DurationVar(&s.budget, "budget", 30*time.Second, "time of a search")
	flags.StringVar(&s.name, "bugs", "", "a regular expression for the names of bugs, as in http/ or bare/.*close; all by default, and mutants")
	with := flags.String("with", "random,bytes,rapid", "the others to compare with, of random, swarm, bytes and rapid; empty: none")
	flags.IntVar(&s.mutants, "mutants", 12, "bugs to make blindly, if all others are searched for, too")
	flags.BoolVar(&s.gate, "gate", true, "run the right servers, too")
	flags.IntVar(&s.parallel, "parallel", runtime.NumCPU(), "searches at once, each a process")
	state := flags.String("state", "", "a file that results are kept in: with the same one an interrupted run goes on")
	flags.StringVar(&s.worker, "worker", "", "make one search in this way, for the one bug and seed that the other flags name, and print JSON; it is how mutants are run")
	if err = flags.Parse(args); err != nil {
		return s, err
	}
	s.command = command(args)
	if flags.NArg() > 0 {
		return s, fmt.Errorf("argument %q: want flags alone; -h explains them", flags.Arg(0))
	}
	if s.seeds < 1 || s.budget <= 0 {
		return s, fmt.Errorf("-seeds %d -budget %v: want both above 0", s.seeds, s.budget)
	}
	if s.parallel < 1 {
		return s, fmt.Errorf("-parallel %d: want 1 at least", s.parallel)
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
	if s.searchers, err = searchers(*with); err == nil {
		s.bugs, err = regexp.Compile(s.name)
	}
	return s, err
}

// command is what was typed.
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

func (s settings) interrupted() bool { return len(s.stopped) > 0 }

// run makes all searches, and prints the table of those that were made.
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

// work makes one search, in a program that was built from changed source.
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
