// Package report shows what runs did: a failure, event by event, and what a whole search did,
// as text and as a page.
//
// A Journal observes one run. An Account describes one trace that was run, with its
// failure. A Tally observes all runs of a search, and a Report shows what it counted.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/reactor"
)

// Report is what a search did. Text and HTML show the same.
type Report struct {
	Name string // what was searched, for the title

	made   Search
	tally  *Tally
	kinds  []kindReport
	claims []*search.Claim // of probes, by name
}

// Search is what a report shows of a search in addition to what a Tally has counted.
type Search struct {
	Again  string // the command that makes the same search; empty: not known
	Seed   uint64
	Runs   int
	Events int
	Corpus int
	Budget string
	Spec   string
	Judges []string // names of oracles
	Found  *Account // the failure; nil: none
}

// New returns the Report of what was counted. claims are the reports of probes. Runs of scout
// look for shorter traces to each transition.
func New(t *Tally, made Search, claims []*search.Claim, scout *judge.Judge) *Report {
	t.End()
	t.shorten(scout)
	r := &Report{Name: "search", made: made, tally: t, claims: claims}
	for i := range t.known.Kinds() {
		k := t.kind(i)
		r.kinds = append(r.kinds, kindReport{kind: k.kind, table: k.kind.Plain(), kindTally: k})
	}
	return r
}

// SetAgain sets the command that makes the same search.
func (r *Report) SetAgain(command string) { r.made.Again = command }

// fact is a line of a report's head.
type fact struct{ name, value string }

// facts returns the first lines of a report, beginning with the outcome.
func (r *Report) facts() []fact {
	outcome := "passed"
	if r.made.Found != nil {
		outcome = "failed: " + r.made.Found.Failure.Oracle
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
	faults := ""
	if r.made.Found != nil {
		faults = r.made.Found.faults()
	}
	all := []fact{
		{"outcome", outcome},
		{"faults that struck", faults},
		{"seed", fmt.Sprintf("%#x", r.made.Seed)},
		{"runs", Thousands(uint64(r.made.Runs))},
		{"events", Thousands(uint64(r.made.Events))},
		{"machines", Thousands(machines)},
		{"edges taken", fmt.Sprintf("%d of %d", taken, declared)},
		{"features", Thousands(uint64(len(r.tally.features)))},
		{"corpus", Thousands(uint64(r.made.Corpus))},
		{"digest", fmt.Sprintf("%016x", r.tally.digest.Sum64())},
		{"budget", r.made.Budget},
		{"world", r.made.Spec},
		{"judged by", strings.Join(r.made.Judges, ", ")},
		{"again by", r.made.Again},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.value == "" })
}

// timing returns the line of times: the only one in which two reports of the same search
// differ.
func (r *Report) timing() string {
	rate := float64(r.made.Events) / max(r.tally.took.Seconds(), 1e-9)
	return fmt.Sprintf("%s, %s events/s", r.tally.took.Round(time.Millisecond), Thousands(uint64(rate)))
}

// Write writes both forms into a directory, and returns the path of the page.
func (r *Report) Write(dir string) (page string, err error) {
	base := filepath.Join(dir, strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(r.Name))
	if err = os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	if err = os.WriteFile(base+".txt", []byte(r.Text()), 0o666); err != nil {
		return "", err
	}
	return base + ".html", os.WriteFile(base+".html", []byte(r.HTML()), 0o666)
}

// Thousands returns a number with separators.
func Thousands(n uint64) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// kindReport is what a report shows about a kind.
type kindReport struct {
	kind  reactor.AnyKind
	table fsm.Plain
	*kindTally
}

// status says whether a count is as the table declares.
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

// states returns the rows of a kind's table: row Any only if something happens there.
func (k *kindReport) states() (all []reactor.State) {
	for s := range k.table {
		if s := reactor.State(s); s != fsm.Any || k.table[s].OnEnter != nil {
			all = append(all, s)
		}
	}
	return all
}

// stateName returns the name of a state. Row Any stands for the start of a machine.
func (k *kindReport) stateName(s reactor.State) string {
	if s == fsm.Any {
		return "(start)"
	}
	return k.kind.StateName(s)
}

// cell returns how often an event of a cause came in a state, and whether the table declares
// it.
func (k *kindReport) cell(s reactor.State, column int) (uint64, status) {
	n := k.told[s][column]
	declared := k.declares(s, causes[column])
	return n, judged(declared, declared || causes[column] == reactor.EventFail, n)
}

// declares reports whether a state's row in effect has something for a cause.
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

// edgeReport is what a report shows about a transition.
type edgeReport struct {
	from, to reactor.State
	why      string // as the table declares it
	hits     uint64
	status   status
	*moveTally
}

// edges returns all transitions that a kind declares or took, by state; those of the start
// come first.
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

// causes returns what made machines take an edge, or would.
func (e *edgeReport) causes() string {
	if e.moveTally == nil {
		return e.why
	}
	var all []string
	for i, n := range e.by {
		if n > 0 {
			all = append(all, fmt.Sprintf("%s ×%s", causes[i], Thousands(n)))
		}
	}
	return strings.Join(all, ", ")
}
