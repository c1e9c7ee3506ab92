package poll_test

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor/driver/drivertest"
	"github.com/stator-go/stator/reactor/poll"
)

var update = flag.Bool("update", false, "write the table of cases to the package comment of poll")

var seeds = flag.Int("seeds", testenv.Pick(1, 3), "random programs to run on each pair of backends")

// over returns a Poller with the given backend and the descriptors of this machine.
func over(name string) drivertest.Backend {
	return drivertest.Backend{
		Name:         name,
		New:          func() (drivertest.System, error) { return drivertest.OverPoller(name) },
		Skips:        skips(),
		PerDirection: strings.HasPrefix(name, "kqueue"),
		NoReadClosed: strings.HasPrefix(name, "ports") || name == "poll" && runtime.GOOS != "linux",
		StaleEdges:   strings.HasPrefix(name, "ports"),
	}
}

func TestBackends(t *testing.T) {
	var reports []drivertest.Report
	for _, name := range poll.Backends() {
		t.Run(name, func(t *testing.T) {
			reports = append(reports, drivertest.Run(t, over(name)))
		})
	}
	for _, r := range reports {
		if !r.Complete {
			return
		}
	}
	table := drivertest.Table(reports...)
	t.Log("what ran:\n" + table)
	if system := publishes(); system != "" && len(reports) == len(poll.Backends()) {
		published(t, system, table)
	}
}

// published checks that the package comment of poll has this table of a system. With
// -update it writes the table there.
func published(t *testing.T, system, table string) {
	file, begin, end := "doc.go", "// On "+system+", by number, + ran and - was skipped:\n//\n", "//\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s does not contain %q and a table", file, begin)
	}
	var want strings.Builder
	for line := range strings.Lines(table) {
		want.WriteString("//\t" + line)
	}
	if old == want.String() {
		return
	}
	if !*update {
		t.Fatalf("%s has a different table: run this test with -update", file)
	}
	if err := os.WriteFile(file, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCompare makes the same random calls on each pair of backends.
func TestCompare(t *testing.T) {
	names := poll.Backends()
	calls := testenv.Pick(500, 2000)
	for i, b := range names {
		for _, a := range names[:i] {
			t.Run(a+" and "+b, func(t *testing.T) {
				for seed := range uint64(*seeds) {
					drivertest.Compare(t, over(a), over(b), seed, calls)
				}
			})
		}
	}
}
