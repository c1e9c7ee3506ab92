// Command edges compares what the handlers of state machines answer with what
// their tables declare.
//
//	go run github.com/stator-go/stator/fsm/edges [-v] [packages]
//
// It finds the tables (composite literals of fsm.Table, and of reactor.Table,
// which is one) in the packages' files, tests left out, resolves each row's
// handlers, and collects the states that they answer: constants that they return,
// also through conditions, local variables, parameters, and calls of functions of
// the same package. Reported is
//
//   - a state that a handler answers and that neither its row's To nor row Any's
//     names. The row's own state needs no naming;
//   - a state that To names and that no handler of the row answers.
//
// A handler of row Any is judged for every row that takes it. While it is, the call
// cx.State() (any method State of no arguments that gives a State) is that row's
// state, so branches that it excludes are left out.
//
// What an answer is can't always be told: a State out of a struct's field, a map,
// an interface, another package. Such an answer is taken for right, keeps its row
// from being called too generous, and is listed with -v. Answers of package
// reactor (Fail, Stop, Become) need no naming. Tables that are changed after their
// literal, and loops that a machine goes through, are not followed.
//
// The exit status is 1 when something is reported, 2 when the packages can't be
// loaded.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const usage = `usage: edges [-v] [packages]

edges compares what the handlers of state machines answer with what the To of
their rows declares. Packages are named as for go list; the default is ".".

`

const examples = `
In Stator's root:  go run ./fsm/edges ./examples/...
In other modules:  go run github.com/stator-go/stator/fsm/edges ./...

The exit status is 1 if something is reported, and 2 if the packages cannot be loaded.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("edges", flag.ContinueOnError)
	flags.SetOutput(stderr)
	verbose := flags.Bool("v", false, "also list the answers that can't be told")
	flags.Usage = func() {
		io.WriteString(stderr, usage)
		flags.PrintDefaults()
		io.WriteString(stderr, examples)
	}
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	}
	patterns := flags.Args()
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	packages, err := load(patterns)
	if err != nil {
		fmt.Fprintln(stderr, "edges:", err)
		return 2
	}
	status := 0
	for _, f := range examine(packages) {
		if f.note && !*verbose {
			continue
		}
		fmt.Fprintln(stdout, f)
		if !f.note {
			status = 1
		}
	}
	return status
}

// finding is a line of output.
type finding struct {
	at   token.Position
	text string
	note bool // for -v alone, and nothing wrong
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s", relative(f.at.Filename), f.at.Line, f.text)
}

// relative shortens the name of a file below the working directory.
func relative(file string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, file); err == nil && !strings.HasPrefix(rel, "..") {
			return filepath.ToSlash(rel)
		}
	}
	return file
}

// examine is every finding in the packages, each once, by file and line.
func examine(packages []*pack) (all []finding) {
	for _, p := range packages {
		for _, t := range p.tables() {
			all = append(all, t.judge()...)
		}
	}
	slices.SortFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.at.Filename, b.at.Filename), cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.text, b.text))
	})
	return slices.Compact(all)
}
