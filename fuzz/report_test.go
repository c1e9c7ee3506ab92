package fuzz

import (
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/search"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/golden"
	"github.com/stator-go/stator/reactor"
)

// roomSpec returns a Spec like that of TestRoom, with one loop.
func roomSpec() Spec {
	return Spec{
		Report: true, Without: Segmentation,
		Setup: func(w *World) error {
			all := new([]reactor.Ref[said])
			_, err := memberKind.Listen(w.Loop(0), "tcp", ":7000", member{all: all})
			return err
		},
		Dict: []string{"hello", "busy"},
	}
}

// untimed returns a report without the line of times.
func untimed(t *testing.T, text string) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	rest := slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return strings.HasPrefix(s, "time ") || strings.Contains(s, `<dd class="time">`) })
	if len(rest) != len(lines)-1 {
		t.Errorf("%d lines of times: want 1", len(lines)-len(rest))
	}
	return strings.Join(rest, "")
}

// The report of one trace is compared word for word. It has all kinds of cells.
func TestReportText(t *testing.T) {
	tr, err := trace.Parse("dial 0 listener=0\nshort-read 0 bytes=1 times=2\nsend 0 word=0 more=0\nsend 0 word=1 more=0\n" +
		"dial 1 listener=0\nadvance n=2 unit=3\nleave 0\n")
	if err != nil {
		t.Fatal(err)
	}
	got := untimed(t, Replay(roomSpec(), tr).Report.Text())
	golden.Check(t, "report.txt", got)
}

// Two searches of one seed have the same report, except for the times.
func TestReportIsDeterministic(t *testing.T) {
	one, two := Find(roomSpec(), 3, Budget{Runs: 150}).Report, Find(roomSpec(), 3, Budget{Runs: 150}).Report
	if a, b := untimed(t, one.Text()), untimed(t, two.Text()); a != b {
		t.Errorf("one:\n%s\nthe other:\n%s", a, b)
	}
	if a, b := untimed(t, one.HTML()), untimed(t, two.HTML()); a != b {
		t.Errorf("one:\n%s\nthe other:\n%s", a, b)
	}
}

// pageRows parses a page as XML, and returns the cells of the rows of its tables.
func pageRows(t *testing.T, page string) (rows [][]string) {
	t.Helper()
	inCell := false
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, page)
		}
		switch x := token.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "tr":
				rows = append(rows, nil)
			case "td":
				rows[len(rows)-1], inCell = append(rows[len(rows)-1], ""), true
			case "script", "link", "img", "iframe", "object":
				t.Errorf("the page has a %s", x.Name.Local)
			}
			for _, a := range x.Attr {
				if a.Name.Local == "href" || a.Name.Local == "src" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("the page has %s=%q", a.Name.Local, a.Value)
				}
			}
		case xml.EndElement:
			inCell = inCell && x.Name.Local != "td"
		case xml.CharData:
			if inCell {
				last := rows[len(rows)-1]
				last[len(last)-1] += string(x)
			}
		}
	}
}

// The page is well-formed, loads nothing from elsewhere, and has every edge that a kind
// declares and every transition seen.
func TestReportPage(t *testing.T) {
	found := Find(roomSpec(), 5, Budget{Runs: 300})
	page := found.Report.HTML()
	for _, bad := range []string{"@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	rows := pageRows(t, page)
	has := func(from, to string) bool {
		return slices.ContainsFunc(rows, func(r []string) bool { return len(r) == 6 && r[0] == from && r[1] == to })
	}
	table := memberKind.Plain()
	edges := table.Missing(new(fsm.Coverage))
	if len(edges) < 6 {
		t.Fatalf("%d edges", len(edges))
	}
	for _, e := range edges {
		if from, to := table.NameOf(e.From), table.NameOf(e.To); !has(from, to) {
			t.Errorf("no edge from %s to %s", from, to)
		}
	}
	if !has("(start)", "joining") {
		t.Error("no start")
	}
	if !strings.Contains(page, `<g class="edge" data-edge="initial state1">`) {
		t.Error("no start in the picture")
	}
}

// Names, words and failures may have any text.
func TestReportOfAnyText(t *testing.T) {
	k := reactor.Must(reactor.NewKind("<kind>&\x01", reactor.Options{Ports: []string{`"p`}},
		reactor.Table[faulty, reactor.None]{{}, {Name: "a<b\n\xff", Wait: peer.Readable(), Idle: fsm.After(time.Second, fsm.Stop), OnReady: (*faulty).ready}}))
	s := Spec{Report: true, Dict: []string{"\n]]></style>\x00"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", faulty{how: func(*faulty, *echoCx, []byte) (int, reactor.State, error) { panic("<b>\xfe\x02&amp;") }})
		return err
	}}
	found := Find(s, 1, Budget{Runs: 500})
	if found.Failure == nil {
		t.Fatal("not found")
	}
	found.Report.Name = "</title>"
	rows := pageRows(t, found.Report.HTML())
	if !slices.ContainsFunc(rows, func(r []string) bool { return len(r) == 7 && strings.TrimSpace(r[3]) == "machine ends" }) {
		t.Error("the page does not tell of the failure")
	}
}

// wayOf parses the trace in a cell of a report's page, whose first line is a summary. The
// last line may say how far the run continues behind the trace.
func wayOf(t *testing.T, cell string) trace.Trace {
	t.Helper()
	var events []string
	for line := range strings.Lines(strings.Replace(cell, " …", "\n", 1)) {
		if !strings.HasPrefix(line, "(") {
			events = append(events, strings.TrimSuffix(line, "\n"))
		}
	}
	tr, err := trace.Parse(strings.Join(events, "\n"))
	if err != nil {
		t.Fatalf("%v in %q", err, cell)
	}
	return tr
}

// The shortest trace to an edge takes the edge, and has no events that are not needed.
func TestWaysLeadThere(t *testing.T) {
	table := memberKind.Plain()
	state := func(name string) reactor.State {
		if name == "(start)" {
			return fsm.Any
		}
		for s := range table {
			if table.NameOf(reactor.State(s)) == name {
				return reactor.State(s)
			}
		}
		return fsm.Stop
	}
	ways := 0
	for _, row := range pageRows(t, Find(roomSpec(), 2, Budget{Runs: 300}).Report.HTML()) {
		if len(row) != 6 || row[2] == "never" {
			continue
		}
		ways++
		tr := wayOf(t, row[5])
		again := newEngine(roomSpec())
		again.run(tr)
		var shown search.Shown
		again.cover.Copy(&shown)
		again.known.Add(&shown)
		_, took := again.known.Kind(0)
		if took.Taken(state(row[0]), state(row[1])) == 0 {
			t.Errorf("no %s → %s in a run of\n%s", row[0], row[1], tr)
		}
		if len(tr) > 4 {
			t.Errorf("%d events lead to %s → %s: want 4 at most", len(tr), row[0], row[1])
		}
	}
	if ways < 6 {
		t.Errorf("%d edges have a way: want 6 at least", ways)
	}
}

// Without Spec.Report there is no report, and machines have no observer.
func TestNoReport(t *testing.T) {
	s := roomSpec()
	s.Report = false
	found := Find(s, 1, Budget{Runs: 20})
	if found.Report != nil {
		t.Error("there is one")
	}
	w := newEngine(s)
	if w.run(nil); w.world.Tracing() {
		t.Error("a world without a report hears each event")
	}
	// A report does not change what is found.
	counted := Find(roomSpec(), 1, Budget{Runs: 20})
	if a, b := found.String(), counted.String(); a != b {
		t.Errorf("without a report: %s\nwith one: %s", a, b)
	}
}

// Run writes its report where the environment or the flag says.
func TestReportOfRun(t *testing.T) {
	env, byFlag := filepath.Join(t.TempDir(), "new"), t.TempDir()
	t.Setenv("FUZZ_REPORT", env)
	t.Setenv("FUZZ_RUNS", "20")
	t.Run("one", func(t *testing.T) { Run(t, echoSpec()) })
	if err := flag.Set("fuzz.report", byFlag); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("fuzz.report", "")
	t.Run("two", func(t *testing.T) { Run(t, echoSpec()) })
	t.Setenv("FUZZ_STRATEGY", "swarm")
	t.Run("three", func(t *testing.T) { Run(t, echoSpec()) })
	if text, err := os.ReadFile(filepath.Join(byFlag, "fuzz.TestReportOfRun_three.txt")); err != nil || !strings.Contains(string(text), "FUZZ_STRATEGY=swarm FUZZ_SEED=") {
		t.Errorf("%v: the strategy is not told in:\n%s", err, text)
	}
	for _, name := range []string{
		filepath.Join(env, "fuzz.TestReportOfRun_one.html"), filepath.Join(env, "fuzz.TestReportOfRun_one.txt"),
		filepath.Join(byFlag, "fuzz.TestReportOfRun_two.html"), filepath.Join(byFlag, "fuzz.TestReportOfRun_two.txt"),
	} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), "go test -run") || !strings.Contains(string(text), "FUZZ_RUNS=20") {
			t.Errorf("%v: %s", err, text)
		}
	}
}

// The report has the claims of probes: which were seen, which never, and how high a value
// went.
func TestReportOfProbes(t *testing.T) {
	s := countingSpec("word")
	s.Report, s.Sometimes = true, []string{"nobody comes by here"}
	found := Find(s, 1, Budget{Runs: 50})
	rows := pageRows(t, found.Report.HTML())
	if !slices.ContainsFunc(rows, func(r []string) bool { return slices.Equal(r, []string{"nobody comes by here", "never", "·"}) }) {
		t.Errorf("no row of what was never seen in:\n%s", found.Report.Text())
	}
}

// faultRow returns how often a report says that a fault was armed, and that it struck.
func faultRow(t *testing.T, r *Report, op trace.Op) (armed, struck string) {
	t.Helper()
	for _, row := range pageRows(t, r.HTML()) {
		if len(row) == 4 && row[0] == op.String() && row[1] != "" {
			return row[2], row[3]
		}
	}
	t.Fatalf("no row of %s", op)
	return "", ""
}

// A fault counts as armed at its event, and as struck when it has an effect.
func TestFaultsThatStrike(t *testing.T) {
	for _, c := range []struct {
		op            trace.Op
		misses, trace string
	}{
		{trace.ShortRead, "dial 0\nshort-read 0 bytes=1 times=3\n", "dial 0\nshort-read 0 bytes=1 times=1\nsend 0\n"},
		{trace.ShortWrite, "dial 0\nshort-write 0 bytes=9 times=3\nsend 0\n", "dial 0\nshort-write 0 bytes=1 times=1\nsend 0\n"},
		{trace.BlockRead, "dial 0\nblock-read 0 times=3\n", "dial 0\nblock-read 0 times=1\nsend 0\n"},
		{trace.BlockWrite, "dial 0\nblock-write 0 times=3\n", "dial 0\nblock-write 0 times=1\nsend 0\n"},
		{trace.Window, "dial 0\nwindow 0 bytes=9 queue=9\nsend 0\n", "dial 0\npace 0\nwindow 0 bytes=1 queue=2\nsend 0\n"},
		{trace.Split, "dial 0\nsplit 0 bytes=9 times=1\nsend 0\n", "dial 0\nsplit 0 bytes=4 times=1\nsend 0\n"},
		{trace.Spurious, "spurious 0 bits=1\ndial 0\n", "dial 0\nspurious 0 bits=1\n"},
		{trace.Stale, "stale 0 bits=1\ndial 0\n", "dial 0\nfinish 0\nstale 0 bits=1\n"},
		{trace.Permute, "dial 0\npermute 0 seed=7\n", "dial 0\ndial 1\npermute 0 seed=7 hold\nsend 0 hold\nsend 1\n"},
		{trace.Few, "dial 0\nfew 0 events=1 hold\nsend 0\n", "dial 0\ndial 1\nfew 0 events=1 hold\nsend 0 hold\nsend 1\n"},
		{trace.Late, "late 0 µs=7\ndial 0\n", "dial 0\nlate 0 µs=700\nadvance n=2 unit=4\n"},
		{trace.AcceptFails, "accept-fails 0 error=0 times=1\n", "accept-fails 0 error=0 times=1\ndial 0\n"},
		{trace.ConnectFails, "connect-fails 0 how=0 times=1\n", ""},
		{trace.Jump, "jump n=0 unit=3\n", "jump n=1 unit=3\n"},
		{trace.Abrupt, "dial 0\nabrupt 0 calls=9 what=0\nsend 0\n", "dial 0\nabrupt 0 calls=1 what=0\nsend 0\n"},
	} {
		for _, text := range []string{c.misses, c.trace} {
			tr, err := trace.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			s := echoSpec()
			s.Report, s.Without = true, Segmentation|HangUp|SpuriousEvents
			armed, struck := faultRow(t, Replay(s, tr).Report, c.op)
			if strikes := struck != "never"; strikes != (text == c.trace && text != "") || text != "" && armed == "never" {
				t.Errorf("%s armed %s times, struck %s times, in\n%s", c.op, armed, struck, text)
			}
		}
	}
}

// The run that fails counts like the others: the line of a search has as many features as
// its report.
func TestFeaturesOfAFailingRun(t *testing.T) {
	s := echoSpec()
	s.Report = true
	s.Oracles = []Oracle{PerConn("silence", Model[struct{}, string]{
		Input: func(in []byte) (string, int, bool) { return string(in), len(in), true },
		Step:  func(*struct{}, string) string { return "" },
	})}
	found := Find(s, 1, Budget{Runs: 500})
	if found.Failure == nil || found.Corpus == 0 {
		t.Fatalf("%v: want a failure and some features", found)
	}
	want := strconv.Itoa(found.Corpus)
	has := func(line string) bool { return slices.Equal(strings.Fields(line), []string{"features", want}) }
	if text := found.Report.Text(); !slices.ContainsFunc(strings.Split(text, "\n"), has) {
		t.Errorf("%s features, which differs from:\n%s", want, text)
	}
}
