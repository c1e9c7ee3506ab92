package fuzz

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/stator-go/stator/fuzz/internal/report"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/trace"
)

// Run searches for a run that fails, and fails the test with the shortest trace found. It
// first replays the traces of earlier failures, under testdata/traces. If one of them still
// fails, the test fails and there is no search. Otherwise a new failure's trace is kept
// there.
//
// The environment sets the search:
//
//   - FUZZ_RUNS is a number of runs, FUZZ_TIME a duration. If neither is set, the search has
//     1,000 runs in at most 5 s, and 100 in 1 s with -short. FUZZ_RUNS alone removes the
//     bound of time. A FUZZ_TIME that exceeds what is left of go test's -timeout is an
//     error.
//   - FUZZ_SOAK is the longest time of the soak, 0 for none; see "The soak" in the package
//     comment. The default is 2 s, and none with -short.
//   - FUZZ_WORKERS is the number of goroutines that make runs: see Budget.Workers.
//   - FUZZ_STRATEGY is a [Strategy]: guided, swarm, random, or exhaustive:3.
//   - FUZZ_SEED is the seed. The default seed is a hash of the test's name, so a test makes
//     the same runs each time.
//   - FUZZ_REPORT, or the flag -fuzz.report, is a directory for a [Report].
//
// If there is a bound of time, shrinking is bounded as well: see [Budget]. It ends after 3,000
// tries of a smaller trace in any case, and as many again if the failure turns out to come
// and go. Every 10 s of a search a line says how far it has come.
//
// A search of [UnseenRuns] runs or more also fails if Finding.Unseen is not empty.
func Run(t *testing.T, spec Spec) {
	t.Helper()
	dir := filepath.Join("testdata", "traces", filepath.FromSlash(t.Name()))
	spec.Report = spec.Report || report.Dir() != ""
	if !replay(t, spec, dir) {
		return
	}
	seed, b, err := settings(t.Name())
	if err == nil {
		b.Soak, err = soakTime()
	}
	if err == nil {
		err = b.fits(t.Deadline())
	}
	if err != nil {
		t.Fatal(err)
	}
	spec.progress = func(f *Finding) { t.Log("so far:", f.effort()) }
	found := Find(spec, seed, b)
	t.Logf("%s; %d readiness events", found.effort(), found.Simulated) // of a failure more is said below
	if found.Failure == nil && !found.Done && found.Runs < b.Runs {
		t.Logf("time was up after %v, with %d of %d runs made: FUZZ_RUNS=%[3]d makes all", b.Time, found.Runs, b.Runs)
	}
	found.publish(t, b, "")
	if found.Failure == nil {
		if err := found.unseen(); err != nil {
			t.Error(err)
		}
		return
	}
	name := filepath.Join(dir, fmt.Sprintf("%016x.trace", xxhash.Sum64String(found.Trace.String())))
	if _, err := os.Stat(name); err == nil {
		found.account.Remark("Something outlives runs: this trace was kept, and passed when the test began. It fails after other runs.")
	}
	if err = os.MkdirAll(dir, 0o777); err == nil {
		err = os.WriteFile(name, []byte(found.account.File()), 0o666)
	}
	if err != nil {
		t.Error("the trace is not kept:", err)
	}
	t.Errorf("%s\nkept in %s; again by:\n\t%s", found.Explain(), name, report.Command(t.Name()))
}

// replay runs the traces of a directory, and reports whether all pass.
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
			found.publish(t, Budget{}, "."+filepath.Base(names[i]))
			t.Errorf("%s still fails: %s\nagain by:\n\t%s", names[i], found.Explain(), report.Command(t.Name()))
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

// fits returns an error if a test ends by its -timeout before a search does: all that it
// found would be lost.
func (b Budget) fits(deadline time.Time, ok bool) error {
	if left := time.Until(deadline); ok && b.Time > left {
		return fmt.Errorf("a search of %v, and %v are left of go test's -timeout: want a longer one, or -timeout 0", b.Time, left.Round(time.Second))
	}
	return nil
}

// settings returns the seed and the budget of a test, as the environment says.
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
	if s := os.Getenv("FUZZ_WORKERS"); s != "" {
		if b.Workers, err = strconv.Atoi(s); err != nil || b.Workers < 1 {
			return 0, b, fmt.Errorf("FUZZ_WORKERS %q: want a number above 0", s)
		}
	}
	if s := os.Getenv("FUZZ_STRATEGY"); s != "" {
		how, err := search.ParseStrategy(s)
		if err != nil {
			return 0, b, fmt.Errorf("FUZZ_STRATEGY: %w", err)
		}
		b.Strategy = Strategy(how)
	}
	if b.Runs == 0 && b.Time == 0 && !search.Strategy(b.Strategy).IsExhaustive() {
		if b.Runs, b.Time = 1000, 5*time.Second; testing.Short() {
			b.Runs, b.Time = 100, time.Second
		}
	}
	return seed, b, nil
}

// soakTime returns how long a soak may take, as the environment says.
func soakTime() (most time.Duration, err error) {
	if s := os.Getenv("FUZZ_SOAK"); s != "" {
		if most, err = time.ParseDuration(s); err != nil || most < 0 {
			return 0, fmt.Errorf("FUZZ_SOAK %q: want a duration, or 0", s)
		}
		return most, nil
	}
	if testing.Short() {
		return 0, nil
	}
	return 2 * time.Second, nil
}

// publish writes the report of a test into the directory for reports, if there is one.
func (f *Finding) publish(t *testing.T, b Budget, part string) {
	t.Helper()
	dir := report.Dir()
	if f.Report == nil || dir == "" {
		return
	}
	f.Report.Name = report.TestName(t.Name()) + part
	r := f.Report.named()
	again := report.Command(t.Name())
	if part == "" { // else it is of a trace that is kept
		again = fmt.Sprintf("FUZZ_SEED=%#x FUZZ_RUNS=%d %s", f.Seed, f.Runs, again)
		if b.Strategy != Guided {
			again = fmt.Sprintf("FUZZ_STRATEGY=%v %s", b.Strategy, again)
		}
	}
	r.SetAgain(again)
	page, err := r.Write(dir)
	if err != nil {
		t.Error("no report is written:", err)
		return
	}
	t.Log("report:", page)
}
