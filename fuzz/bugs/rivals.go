package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/fuzz/bugs/planted"
)

// rival is another way to search.
type rival interface {
	name() string
	prepare() error
	search(*planted.Server, planted.Bug, uint64, time.Duration) (outcome, error)
	finish()
}

func rivals(names string) (all []rival, err error) {
	known := []rival{&random{}, &program{title: "bytes", module: "../planted", flags: bytesFlags}, &program{title: "rapid", module: ".", flags: rapidFlags}}
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' }) {
		at := slices.IndexFunc(known, func(r rival) bool { return r.name() == name })
		if at < 0 {
			return nil, fmt.Errorf("-with %q: want random, bytes, rapid, separated by commas", name)
		}
		all = append(all, known[at])
	}
	return all, nil
}

// random draws every trace anew: a search that forgets its corpus each eight runs,
// of which it judges one deeply as any search does.
type random struct{}

func (*random) name() string   { return "random" }
func (*random) prepare() error { return nil }
func (*random) finish()        {}

func (*random) search(server *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (o outcome, err error) {
	spec := server.Spec(&planted.Plant{Bug: b.Name})
	start, begin := time.Now(), cpu()
	for part := uint64(0); time.Since(start) < budget; part++ {
		before := cpu()
		found := fuzz.Find(spec, seed<<32|part, fuzz.Budget{Runs: 8})
		o.runs, o.events = o.runs+found.Runs, o.events+found.Events
		if found.Failure != nil {
			o.found, o.cpu = true, before-begin // without shrinking
			break
		}
	}
	return o, nil
}

// program is a search that is a test binary of its own: it ends as soon as it has
// found something.
type program struct {
	title  string
	module string // beside compare's go.mod
	flags  func(dir string, seed uint64, budget time.Duration) []string
	dir    string
}

func bytesFlags(dir string, _ uint64, budget time.Duration) []string {
	return []string{"-test.run=^$", "-test.fuzz=^FuzzBytes$", "-test.fuzztime=" + budget.String(),
		"-test.fuzzcachedir=" + filepath.Join(dir, "cache"), "-test.fuzzminimizetime=1x", "-test.parallel=1"}
}

func rapidFlags(_ string, seed uint64, _ time.Duration) []string {
	return []string{"-test.run=^TestRapid$", "-rapid.checks=1000000000", "-rapid.nofailfile", fmt.Sprint("-rapid.seed=", seed)}
}

func (p *program) name() string { return p.title }
func (p *program) finish()      { os.RemoveAll(p.dir) }

// prepare builds the binary.
func (p *program) prepare() (err error) {
	if p.dir, err = os.MkdirTemp("", "bugs"); err != nil {
		return err
	}
	home, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/stator-go/stator/fuzz/bugs").Output()
	if err != nil {
		return fmt.Errorf("go list: %w; run this within the module", err)
	}
	args := []string{"test", "-c", "-o", p.binary()}
	if p.title == "bytes" {
		args = append(args, "-fuzz=^FuzzBytes$") // instrumented
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = filepath.Join(strings.TrimSpace(string(home)), "compare", p.module)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", p.title, err, out)
	}
	return nil
}

func (p *program) binary() string { return filepath.Join(p.dir, "search.test.exe") }

func (p *program) search(_ *planted.Server, b planted.Bug, seed uint64, budget time.Duration) (o outcome, err error) {
	scratch, err := os.MkdirTemp(p.dir, "search")
	if err != nil {
		return o, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), budget+time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, p.binary(), p.flags(scratch, seed, budget)...)
	var out bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = scratch, &out, &out
	c.Env = append(os.Environ(), "BUG="+b.Name)
	c.WaitDelay = time.Second
	err = c.Run()
	o.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil || err == nil:
		return o, nil
	case errors.As(err, &exit) && bytes.Contains(out.Bytes(), []byte("--- FAIL")):
		o.found = true
		return o, nil
	}
	return o, fmt.Errorf("%w\n%s", err, out.Bytes())
}
