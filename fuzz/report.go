package fuzz

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Report is what a search did, for people: Text and HTML show the same. Both depend
// on the seed, the runs and the code alone, but for one line of times.
type Report struct {
	Name string // what was searched, for the title

	again  string // the command that makes the same search; empty: not known
	found  *Finding
	budget Budget
	spec   *Spec
	tally  *tally
	kinds  []kindReport
	claims []*claim // of probes, by name
}

// report makes a report of what was counted.
func (t *tally) report(w *World, found *Finding, b Budget) *Report {
	if t == nil {
		return nil
	}
	t.end(w)
	t.shorten(w)
	r := &Report{Name: "search", found: found, budget: b, spec: w.spec, tally: t}
	w.unseen() // those that no run came by are named by the spec
	r.claims = slices.SortedFunc(maps.Values(w.claims), func(a, b *claim) int { return cmp.Compare(a.name, b.name) })
	for i, k := range w.cover.kinds {
		r.kinds = append(r.kinds, kindReport{kind: k.kind, table: k.kind.Plain(), kindTally: t.kind(i)})
	}
	return r
}

// fact is a line of a report's head.
type fact struct{ name, value string }

// facts are what a report begins with, the outcome first.
func (r *Report) facts() []fact {
	outcome := "passed"
	if r.found.Failure != nil {
		outcome = "failed: " + r.found.Failure.Oracle
	}
	taken, declared, machines := 0, 0, uint64(0)
	for _, k := range r.kinds {
		for first := range k.table {
			machines += k.cover.Taken(fsm.Any, reactor.State(first))
		}
		for _, e := range k.edges() {
			if e.status != undeclared && e.from != fsm.Any {
				declared++
				taken += int(min(e.hits, 1))
			}
		}
	}
	all := []fact{
		{"outcome", outcome},
		{"seed", fmt.Sprintf("%#x", r.found.Seed)},
		{"runs", thousands(uint64(r.found.Runs))},
		{"events", thousands(uint64(r.found.Events))},
		{"machines", thousands(machines)},
		{"edges taken", fmt.Sprintf("%d of %d", taken, declared)},
		{"features", thousands(uint64(len(r.tally.features)))},
		{"corpus", thousands(uint64(r.found.Corpus))},
		{"digest", fmt.Sprintf("%016x", r.tally.digest.Sum64())},
		{"budget", r.budget.String()},
		{"world", r.spec.String()},
		{"judged by", strings.Join(r.spec.judgedBy(), ", ")},
		{"again by", r.again},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.value == "" })
}

// timing is the only line that another run of the same search need not repeat.
func (r *Report) timing() string {
	rate := float64(r.found.Events) / max(r.tally.took.Seconds(), 1e-9)
	return fmt.Sprintf("%s, %s events/s", r.tally.took.Round(time.Millisecond), thousands(uint64(rate)))
}

// String says how much there is of a budget.
func (b Budget) String() string {
	var all []string
	if b.Runs > 0 {
		all = append(all, thousands(uint64(b.Runs))+" runs")
	}
	if b.Time > 0 {
		all = append(all, b.Time.String())
	}
	return strings.Join(all, " or ")
}

// String is a spec's settings.
func (s *Spec) String() string {
	text := fmt.Sprintf("loops %d, slots %d, connections %d, words %d", s.Loops, s.Config.Slots, s.Conns, len(s.Dict))
	if s.Isolated {
		text += ", isolated"
	}
	return text
}

// judgedBy are the letters and names of the oracles that judge a spec's runs.
func (s *Spec) judgedBy() (all []string) {
	for _, o := range []oracle{oraclePanic, oracleContract, oracleLifetime, oracleWakeUp, oracleRest, oracleBounds, oracleEdges, oracleSame, oracleAlways} {
		all = append(all, string(o))
	}
	for _, o := range []oracle{oracleSegments, oracleHangUp, oracleSpurious, oracleBound} {
		if s.judges(string(o[:1])) {
			all = append(all, string(o))
		}
	}
	if s.Isolated {
		all = append(all, string(oracleAlone))
	}
	for _, o := range s.Oracles {
		letter := "M "
		if o.remembers() {
			letter = "L "
		}
		all = append(all, letter+o.title())
	}
	return all
}

// thousands writes a number for people.
func thousands(n uint64) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// kindReport is what a report tells of a kind.
type kindReport struct {
	kind  reactor.AnyKind
	table fsm.Plain
	*kindTally
}

// status is what is to be thought of a count.
type status uint8

const (
	nothing    status = iota // neither declared nor happened
	happened                 // as declared, or as it may without
	never                    // declared, and no run did it
	undeclared               // happened, and must not
)

func judged(declared, allowed bool, n uint64) status {
	switch {
	case n == 0 && declared:
		return never
	case n == 0:
		return nothing
	case !allowed:
		return undeclared
	}
	return happened
}

// states are the rows of a kind's tables: row Any only if something happens there.
func (k *kindReport) states() (all []reactor.State) {
	for s := range k.table {
		if s := reactor.State(s); s != fsm.Any || k.table[s].OnEnter != nil {
			all = append(all, s)
		}
	}
	return all
}

// stateName is a state for people; row Any's events are those of birth.
func (k *kindReport) stateName(s reactor.State) string {
	if s == fsm.Any {
		return "(birth)"
	}
	return k.kind.StateName(s)
}

// cell is how often a cause came in a state, and what to think of it.
func (k *kindReport) cell(s reactor.State, column int) (uint64, status) {
	n := k.told[s][column]
	declared := k.declares(s, causes[column])
	return n, judged(declared, declared || causes[column] == reactor.EventFail, n)
}

// declares tells whether a state's row in effect has something for a cause.
func (k *kindReport) declares(s reactor.State, c reactor.Event) bool {
	r, life := k.table.Resolve(s), k.table[fsm.Any]
	if s == fsm.Any {
		return c == reactor.EventEnter && r.OnEnter != nil
	}
	switch c {
	case reactor.EventEnter:
		return r.OnEnter != nil
	case reactor.EventReady:
		return r.OnReady != nil
	case reactor.EventMessage:
		return r.OnMessage != nil && !r.Defer
	case reactor.EventTimer:
		return r.OnTimer != nil
	case reactor.EventDown:
		return r.OnDown != nil
	case reactor.EventSignal:
		return r.OnSignal != nil
	case reactor.EventWithin:
		return r.Within.Runs()
	case reactor.EventIdle:
		return r.Idle.Runs()
	case reactor.EventStall:
		return r.Stall.Runs()
	case reactor.EventLife:
		return life.Within.Runs()
	case reactor.EventFail:
		return k.table[s].Fail != fsm.Stay || life.Fail != fsm.Stay
	default: // a shutdown does not lead a state to itself
		return r.Shutdown != fsm.Stay && r.Shutdown != s
	}
}

// edgeReport is what a report tells of a transition.
type edgeReport struct {
	from, to reactor.State
	why      string // as the table declares it
	hits     uint64
	status   status
	*moveTally
}

// edges are all that a kind declares or did, by state; births first.
func (k *kindReport) edges() []edgeReport {
	all := make(map[[2]reactor.State]edgeReport)
	for _, e := range k.table.Missing(new(fsm.Coverage)) {
		all[[2]reactor.State{e.From, e.To}] = edgeReport{from: e.From, to: e.To, why: e.Why, status: never}
	}
	for at, m := range k.moves {
		e := all[at]
		e.from, e.to, e.hits, e.moveTally = at[0], at[1], k.cover.Taken(at[0], at[1]), m
		e.status = judged(true, k.kind.Declares(at[0], at[1]), e.hits)
		all[at] = e
	}
	return slices.SortedFunc(maps.Values(all), func(a, b edgeReport) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
}

// causes is what made machines take an edge, or would.
func (e *edgeReport) causes() string {
	if e.moveTally == nil {
		return e.why
	}
	var all []string
	for i, n := range e.by {
		if n > 0 {
			all = append(all, fmt.Sprintf("%s ×%s", causes[i], thousands(n)))
		}
	}
	return strings.Join(all, ", ")
}

// reportFlag is -fuzz.report, which there is in tests alone: a program that imports
// this package has no use for it, and its own flags are its own.
var reportFlag string

func init() {
	if testing.Testing() {
		flag.StringVar(&reportFlag, "fuzz.report", "", "write a report of each fuzz.Run into this `directory`, as FUZZ_REPORT does")
	}
}

// reportDir is where reports are to be written; empty: nowhere.
func reportDir() string { return cmp.Or(reportFlag, os.Getenv("FUZZ_REPORT")) }

// write writes both forms into a directory, and answers the path of the page.
func (r *Report) write(dir string) (page string, err error) {
	base := filepath.Join(dir, strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(r.Name))
	if err = os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	if err = os.WriteFile(base+".txt", []byte(r.Text()), 0o666); err != nil {
		return "", err
	}
	return base + ".html", os.WriteFile(base+".html", []byte(r.HTML()), 0o666)
}

// publish writes the report of a test to where reports are to be written.
func (r *Report) publish(t *testing.T, part string) {
	t.Helper()
	dir := reportDir()
	if r == nil || dir == "" {
		return
	}
	r.Name = testName(t) + part
	r.again = fmt.Sprintf("FUZZ_SEED=%#x FUZZ_RUNS=%d %s", r.found.Seed, r.found.Runs, command(t.Name()))
	if r.budget.Strategy != Guided {
		r.again = fmt.Sprintf("FUZZ_STRATEGY=%v %s", r.budget.Strategy, r.again)
	}
	if part != "" { // of a trace that is kept
		r.again = command(t.Name())
	}
	page, err := r.write(dir)
	if err != nil {
		t.Error("no report is written:", err)
		return
	}
	t.Log("report:", page)
}

// testName is a test with its package, as far as that is not the module's: reports
// of many packages may go to one directory.
func testName(t *testing.T) string {
	name := t.Name()
	if info, ok := debug.ReadBuildInfo(); ok {
		name = strings.TrimPrefix(testPackage(), info.Main.Path) + "." + name
	}
	return strings.TrimLeft(name, "/.")
}

// testPackage is the package that is tested; empty where that is not known.
func testPackage() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return strings.TrimSuffix(info.Path, ".test")
}
