// Bugs measures how well package fuzz finds bugs: those of package planted, each in a
// server that is right but for it.
//
//	go run ./fuzz/bugs -seeds 5 -budget 10s
//
// A row is a bug. A bug is reached in a search that runs the wrong line, triggered
// when that line makes a difference, and found when an oracle says that something is
// wrong. Events and CPU seconds are the median of the searches that found it, without
// shrinking. Then every server without a bug runs 100 times as long as its median bug
// took, and nothing may be found.
//
// Beside it stand searches with less: traces drawn anew each time, without a corpus;
// go test -fuzz with bytes for one connection in memory; and a state machine of
// pgregory.net/rapid over connections in memory. They have the same time and models.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/bugs/planted"
)

// settings are what the flags say.
type settings struct {
	seeds   int
	others  int // seeds of the searches compared with
	budget  time.Duration
	bugs    *regexp.Regexp
	rivals  []rival
	gate    bool
	command string
}

func main() {
	s, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bugs:", err)
		os.Exit(1)
	}
}

func parse(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("bugs", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: go run ./fuzz/bugs [flags]\n\n"+
			"Searches for each planted bug, seeds times, and prints a table of what was found.\n"+
			"A search ends when it finds the bug, or after the budget.\n\n")
		flags.PrintDefaults()
	}
	flags.IntVar(&s.seeds, "seeds", 20, "searches a bug")
	flags.IntVar(&s.others, "others", -1, "searches a bug by each of the others, -1: as many")
	flags.DurationVar(&s.budget, "budget", 30*time.Second, "time of a search")
	names := flags.String("bugs", "", "a regular expression for the names of bugs, as in http/ or bare/.*close; all by default")
	with := flags.String("with", "random,bytes,rapid", "the others to compare with; empty: none")
	flags.BoolVar(&s.gate, "gate", true, "run the right servers, too")
	if err = flags.Parse(args); err != nil {
		return s, err
	}
	s.command = strings.Join(append([]string{"go run ./fuzz/bugs"}, args...), " ")
	if flags.NArg() > 0 {
		return s, fmt.Errorf("argument %q: want flags alone; -h explains them", flags.Arg(0))
	}
	if s.seeds < 1 || s.budget <= 0 {
		return s, fmt.Errorf("-seeds %d -budget %v: want both above 0", s.seeds, s.budget)
	}
	if s.others < 0 {
		s.others = s.seeds
	}
	if s.bugs, err = regexp.Compile(*names); err == nil {
		s.rivals, err = rivals(*with)
	}
	return s, err
}

func run(s settings) error {
	t := &table{settings: s}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt)
	defer t.print(os.Stdout)
	for _, r := range s.rivals {
		if err := r.prepare(); err != nil {
			return err
		}
		defer r.finish()
	}
	for _, server := range planted.Servers() {
		for _, b := range server.Bugs {
			if !s.bugs.MatchString(b.Name) {
				continue
			}
			row, err := measure(s, server, b)
			if err != nil {
				return err
			}
			t.add(server, row)
			select {
			case <-stopped:
				return errors.New("interrupted")
			default:
			}
		}
		if s.gate {
			t.gates = append(t.gates, guard(server, t.of(server)))
		}
	}
	return nil
}
