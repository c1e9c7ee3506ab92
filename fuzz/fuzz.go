package fuzz

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Spec is what runs are made of.
type Spec struct {
	// Setup wires machines anew for each run, with the calls of production. Kinds
	// are built once, outside.
	Setup func(*World) error
	// Dict are words that peers send, beside single bytes. Long ones make runs slow: one
	// that is just over a limit is enough.
	Dict []string

	// Oracles judge runs beside those that every run is judged by.
	Oracles []Oracle
	// Without are the letters of oracles that do not hold for these machines: C, when
	// output depends on how input is cut; H, when the peer's end means that nothing before
	// it matters; S, when output depends on how often machines are called; X, when they set
	// bounds of their own by IO.Within.
	Without string
	// Report asks for Finding.Report. Runs that are counted for one take some more time.
	Report bool
	// Sometimes names what some run must show, through a probe.Probe: besides those that
	// runs come by, which need no naming.
	Sometimes []string
	// Isolated says that no connection's output depends on another one.
	Isolated bool

	Loops    int                     // 1
	Conns    int                     // connections that are dialled at once; 4
	Patience time.Duration           // how long an answer that a PerConn waits for may take with nothing in its way; 1 s
	Config   reactor.Config          // of each loop; 64 slots. Driver and Observer are the world's
	Answers  func(reactor.Addr) bool // whether machines that dial find a peer there; nil: always

	remembers bool                                // an oracle looks at all connections of a run
	breaks    func(reactor.Driver) reactor.Driver // what tests put between a loop and its driver
}

func (s Spec) filled() *Spec {
	for _, o := range s.Oracles {
		s.remembers = s.remembers || o.remembers()
	}
	if s.Loops == 0 {
		s.Loops = 1
	}
	if s.Conns == 0 {
		s.Conns = 4
	}
	if s.Patience == 0 {
		s.Patience = patienceForAnswers
	}
	if s.Config.Slots == 0 {
		s.Config.Slots = 64
	}
	return &s
}

// Run looks for runs that fail, and fails the test with the shortest one found.
// Traces of earlier failures, under testdata/traces, are run first; a new one is
// written there.
//
// The environment says how long it looks: FUZZ_RUNS is a number of runs, FUZZ_TIME a
// duration; else it is 1,000 runs in 5 s at most, 100 in 1 s with -short.
// FUZZ_STRATEGY is a [Strategy]: guided, swarm, random, or exhaustive:3. FUZZ_SEED is
// where it begins; else that is a number made of the test's name, so that a test does
// the same each time, as far as it gets. A FUZZ_TIME that go test's -timeout leaves no room
// for is refused; shrinking what was found takes as long as it takes.
// FUZZ_REPORT, or the flag -fuzz.report, is a directory for a [Report].
//
// A search of Long runs fails as well when it did not see what it should sometimes.
func Run(t *testing.T, spec Spec) {
	t.Helper()
	dir := filepath.Join("testdata", "traces", filepath.FromSlash(t.Name()))
	spec.Report = spec.Report || reportDir() != ""
	if !replay(t, spec, dir) {
		return
	}
	seed, budget, err := settings(t.Name())
	if err == nil {
		err = budget.fits(t.Deadline())
	}
	if err != nil {
		t.Fatal(err)
	}
	found := Find(spec, seed, budget)
	t.Log(found.effort()) // of a failure more is said below
	if found.Failure == nil && !found.Done && found.Runs < budget.Runs {
		t.Logf("time was up after %v, with %d of %d runs made: FUZZ_RUNS=%[3]d makes all", budget.Time, found.Runs, budget.Runs)
	}
	found.Report.publish(t, "")
	if found.Failure == nil {
		if err := found.blind(); err != nil {
			t.Error(err)
		}
		return
	}
	name := filepath.Join(dir, fmt.Sprintf("%016x.trace", xxhash.Sum64String(found.Trace.String())))
	if err = os.MkdirAll(dir, 0o777); err == nil {
		err = os.WriteFile(name, []byte(found.file()), 0o666)
	}
	if err != nil {
		t.Error("the trace is not kept:", err)
	}
	t.Errorf("%s\nkept in %s; again by:\n\t%s", found.Explain(), name, command(t.Name()))
}

// replay runs the traces of a directory, and tells whether all pass.
func replay(t *testing.T, spec Spec, dir string) bool {
	t.Helper()
	names, traces, err := readTraces(dir)
	if err != nil {
		t.Fatal(err)
	}
	passed := true
	for i, tr := range traces {
		if found := Replay(spec, tr); found.Failure != nil {
			passed = false
			found.Report.publish(t, "."+filepath.Base(names[i]))
			t.Errorf("%s still fails: %s\nagain by:\n\t%s", names[i], found.Explain(), command(t.Name()))
		}
	}
	return passed
}

// readTraces reads the traces of a directory, which need not be there.
func readTraces(dir string) (names []string, traces []trace.Trace, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, file := range files {
		if file.IsDir() || filepath.Ext(file.Name()) != ".trace" {
			continue
		}
		name := filepath.Join(dir, file.Name())
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		tr, err := trace.Parse(string(text))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		names, traces = append(names, name), append(traces, tr)
	}
	return names, traces, err
}

// Replay runs one trace, and judges it by all that there is to judge by.
func Replay(spec Spec, tr trace.Trace) *Finding {
	w := newWorld(spec.filled())
	w.journal = &journal{}
	found := &Finding{Trace: tr, Runs: 1, Events: len(tr), w: w}
	count := w.tally
	found.Failure = w.check(tr, true)
	count.ran(w, found.Failure)
	found.Undecided = w.undecided
	found.Missing, found.Unseen = w.cover.missing(), w.unseen()
	found.Report = count.report(w, found, Budget{})
	return found
}

// fits is an error if a test ends by its -timeout before a search does: all that it
// found would be lost.
func (b Budget) fits(deadline time.Time, ok bool) error {
	if left := time.Until(deadline); ok && b.Time > left {
		return fmt.Errorf("a search of %v, and %v are left of go test's -timeout: want a longer one, or -timeout 0", b.Time, left.Round(time.Second))
	}
	return nil
}

// blind is what a long search should have seen, and did not.
func (f *Finding) blind() error {
	if f.Runs < Long || len(f.Unseen) == 0 {
		return nil
	}
	return fmt.Errorf("in %d runs this was never seen: %s", f.Runs, strings.Join(f.Unseen, ", "))
}

func settings(name string) (seed uint64, b Budget, err error) {
	seed = xxhash.Sum64String(name)
	if s := os.Getenv("FUZZ_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 0, 64); err != nil {
			return 0, b, fmt.Errorf("FUZZ_SEED: %w", err)
		}
	}
	if s := os.Getenv("FUZZ_RUNS"); s != "" {
		if b.Runs, err = strconv.Atoi(s); err != nil || b.Runs < 1 {
			return 0, b, fmt.Errorf("FUZZ_RUNS %q: want a number above 0", s)
		}
	}
	if s := os.Getenv("FUZZ_TIME"); s != "" {
		if b.Time, err = time.ParseDuration(s); err != nil || b.Time <= 0 {
			return 0, b, fmt.Errorf("FUZZ_TIME %q: want a duration above 0", s)
		}
	}
	if s := os.Getenv("FUZZ_STRATEGY"); s != "" {
		if b.Strategy, err = parseStrategy(s); err != nil {
			return 0, b, fmt.Errorf("FUZZ_STRATEGY: %w", err)
		}
	}
	if b.Runs == 0 && b.Time == 0 && b.Strategy < exhaustive {
		if b.Runs, b.Time = 1000, 5*time.Second; testing.Short() {
			b.Runs, b.Time = 100, time.Second
		}
	}
	return seed, b, nil
}
