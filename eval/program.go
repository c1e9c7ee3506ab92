package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/stator-go/stator/eval/planted"
)

// program is a searcher that runs a binary in a process of its own: a test binary, or
// this program, possibly built from mutated source.
type program struct {
	title  string
	pkg    string                                                                      // the source directory, relative to that of this program
	build  []string                                                                    // arguments of go
	flags  func(dir string, b planted.Bug, seed uint64, budget time.Duration) []string // of a search
	result func(out []byte, failed bool) (outcome, error)                              // parses the output
	dir    string                                                                      // temporary, holds the binary
}

// bytesProgram is go test -fuzz with bytes for one connection in memory. It takes no
// seed.
func bytesProgram() *program {
	return &program{title: "bytes", pkg: "planted", build: []string{"test", "-c", "-fuzz=^FuzzBytes$"}, result: fuzzed,
		flags: func(dir string, _ planted.Bug, _ uint64, budget time.Duration) []string {
			return []string{"-test.run=^$", "-test.fuzz=^FuzzBytes$", "-test.fuzztime=" + budget.String(),
				"-test.fuzzcachedir=" + filepath.Join(dir, "cache"), "-test.fuzzminimizetime=1x", "-test.parallel=1"}
		}}
}

// rapidProgram is a state machine of pgregory.net/rapid.
func rapidProgram() *program {
	return &program{title: "rapid", pkg: "compare", build: []string{"test", "-c"}, result: verdict,
		flags: func(_ string, _ planted.Bug, seed uint64, _ time.Duration) []string {
			return []string{"-test.run=^TestRapid$", "-rapid.checks=1000000000", "-rapid.nofailfile", "-rapid.shrinktime=1ms", fmt.Sprint("-rapid.seed=", seed)}
		}}
}

// own runs one of this program's own searches in a process of its own. Several may run
// at a time, as each measures its own CPU time.
func own(s searcher) *program {
	return &program{title: s.name(), pkg: ".", build: []string{"build"},
		flags: func(_ string, b planted.Bug, seed uint64, budget time.Duration) []string {
			return []string{"-worker", s.name(), "-bugs", b.Name, "-seeds", fmt.Sprint(seed), "-budget", budget.String()}
		},
		result: func(out []byte, failed bool) (o outcome, err error) {
			if failed { // for lack of memory, for example: it has found nothing
				fmt.Fprintf(os.Stderr, " [a search failed: %.80q]", out)
				return o, nil
			}
			return o, json.Unmarshal(out, &o)
		}}
}

// verdict parses the output of a test, which fails if it has found the bug.
func verdict(out []byte, failed bool) (o outcome, err error) {
	o.Found = failed
	if failed && !bytes.Contains(out, []byte("--- FAIL")) {
		err = fmt.Errorf("it failed for another reason: %s", out)
	}
	return o, err
}

// fuzzed is that of go test -fuzz, which now and then fails because its time is over.
func fuzzed(out []byte, failed bool) (o outcome, err error) {
	if !bytes.Contains(out, []byte("context deadline exceeded")) {
		return verdict(out, failed)
	}
	return o, nil
}

func (p *program) name() string { return p.title }

// prepare builds the binary. An overlay, if not empty, names a file for go build's
// -overlay.
func (p *program) prepare(home, overlay string) (err error) {
	if p.dir, err = os.MkdirTemp("", "stator-eval-"); err != nil {
		return err
	}
	args := append(append([]string{}, p.build...), "-o", p.binary())
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	c := exec.Command("go", append(args, ".")...)
	c.Dir = filepath.Join(home, p.pkg)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", p.title, err, out)
	}
	return nil
}

func (p *program) finish() {
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}

func (p *program) binary() string { return filepath.Join(p.dir, "search.exe") }

func (p *program) search(_ *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (o outcome, err error) {
	scratch, err := os.MkdirTemp(p.dir, "search")
	if err != nil {
		return o, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*budget+10*time.Second)
	defer cancel()
	if p.title == "rapid" { // it has no time limit of its own
		ctx, cancel = context.WithTimeout(ctx, budget)
		defer cancel()
	}
	c := exec.CommandContext(ctx, p.binary(), p.flags(scratch, b, seed, budget)...)
	var out, errs bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = scratch, &out, &errs
	c.Env = append(os.Environ(), "BUG="+b.Plant().Bug)
	c.WaitDelay = time.Second
	err = c.Run()
	o.Spent = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return o, nil
	case err != nil && !errors.As(err, &exit):
		return o, err
	}
	spent := o.Spent
	o, err = p.result(append(out.Bytes(), errs.Bytes()...), err != nil)
	if o.Spent == 0 { // it does not measure itself
		o.CPU, o.Spent = spent, spent
	}
	return o, err
}

// home returns the directory of this program's source.
func home() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/stator-go/stator/eval").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w; run this within the module eval", err)
	}
	return strings.TrimSpace(string(out)), nil
}
