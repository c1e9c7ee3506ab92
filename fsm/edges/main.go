// Command edges compares the states that the handlers of state machines return with the
// states that their tables declare.
//
//	go run github.com/stator-go/stator/fsm/edges [-v] [packages]
//
// Packages are named as for go list; the default is ".". Test files are not read. The
// command reports
//
//   - a state that a handler returns and that neither To of its row nor To of row Any
//     names (a row need not name its own state);
//   - a state that To names and that no handler of the row returns.
//
// The exit status is 1 if something is reported, and 2 if the packages cannot be loaded.
//
// # What is followed
//
// A table is a composite literal of fsm.Table, which includes reactor.Table, or of a
// slice or an array of rows. The states that a handler returns are constants, also by
// way of conditions, local variables, parameters, and calls of functions of the same
// package. The methods of package reactor that return a State, such as Fail and Stop,
// return only states that need not be declared.
//
// A handler of row Any is evaluated for each row that inherits it. The call cx.State()
// (of any method State without arguments that returns a State) then has the value of
// that row, and branches that this excludes are ignored.
//
// # What is not followed
//
// A State from a struct field, a map, an interface or another package is unknown. An
// unknown State is not reported, but is listed with -v, and the row is then not
// reported for states in To that no handler returns. Changes of a table after its
// literal are ignored, and loops are not unrolled.
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

edges compares the states that the handlers of state machines return with the states
that To of their rows declares. Packages are named as for go list; the default is ".".

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
	verbose := flags.Bool("v", false, "also list the returned states that are unknown")
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
	note bool // printed only with -v, and not an error
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s", relative(f.at.Filename), f.at.Line, f.text)
}

// relative returns the name of file relative to the working directory if file is below it.
func relative(file string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, file); err == nil && !strings.HasPrefix(rel, "..") {
			return filepath.ToSlash(rel)
		}
	}
	return file
}

// examine returns the findings in all packages without duplicates, ordered by file and
// line.
func examine(packages []*pack) (all []finding) {
	for _, p := range packages {
		for _, t := range p.tables() {
			all = append(all, t.compare()...)
		}
	}
	slices.SortFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.at.Filename, b.at.Filename), cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.text, b.text))
	})
	return slices.Compact(all)
}
