package fuzz

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// panicky is an echo that panics at empty lines.
func panicky() Spec {
	k := reactor.Must(reactor.NewKind("panicky", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[faulty, reactor.None]{{}, {Name: "echoing", Wait: peer.Readable(), Idle: fsm.After(1e9, fsm.Stop), OnReady: (*faulty).ready}}))
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", faulty{how: faults[0].how})
			return err
		},
		Dict: []string{"word", "\n"},
	}
}

// The explanation of a failure has all that is needed to understand it and to see it again.
func TestExplain(t *testing.T) {
	found := Find(panicky(), 7, Budget{Runs: 500})
	if found.Failure == nil {
		t.Fatal("not found")
	}
	text := found.Explain()
	for _, want := range []string{
		`panic: panicky panicked in state "echoing": an empty line`,
		" 1  0s    0     dials listener 0\n",
		"    0s    0                       panicky: any → echoing  idle 1s\n",
		" 2  0s    0     sends                                                \"\\n\"\n",
		"\n    send 0 word=1 more=0\n",
		"sequenceDiagram\n", "participant m0 as panicky 0\n",
		`    c0->>m0: sends "\n"`,
		`    c0-->>m0: reads "\n"`,
		"\nThe handlers that ran, the last one first:\n\n    panicky 0  echoing  ready  fuzz.(*faulty).ready  find_test.go:",
		"find_test.go", // the stack
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	tr, err := trace.Parse(found.account.File())
	if err != nil {
		t.Fatalf("%v in:\n%s", err, found.account.File())
	}
	if again := Replay(panicky(), tr); !again.account.Failure.Same(found.account.Failure) {
		t.Errorf("read from its file the trace gives %v: want %v", again.Failure, found.Failure)
	}
}

// A trace that failed once is replayed before the search.
func TestReplayOfKeptTraces(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if !replay(t, panicky(), dir) {
		t.Error("nothing was kept, and fails")
	}
	write("good.trace", "dial 0 listener=0\nsend 0 word=0 more=0\n")
	if !replay(t, panicky(), dir) {
		t.Error("a good trace fails")
	}
	for _, name := range []string{"odd [name", "odd name]"} { // as those of subtests may be
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		write(filepath.Join(name, "odd.trace"), "a trace of other times\n")
		if _, _, err := readTraces(filepath.Join(dir, name)); err == nil {
			t.Errorf("the trace in %q is not read", name)
		}
	}
}

// A trace is kept with bytes that mean the same when the dictionary gets longer.
func TestKeptTracesHaveBytes(t *testing.T) {
	found := Find(Spec{Setup: bombSpec().Setup, Dict: []string{"0", "1", "2", "3", "4"}}, 9, Budget{Runs: 3000})
	if found.Failure == nil || !strings.Contains(found.account.File(), "send 0 byte=33 ") {
		t.Errorf("%v: want a trace that ends with a single byte:\n%s", found, found.Trace)
	}
}

func FuzzEcho(f *testing.F) {
	s := echoSpec()
	s.Oracles = []Oracle{sameBytes}
	Native(f, s)
}

func TestRun(t *testing.T) {
	s := echoSpec()
	s.Oracles, s.Isolated = []Oracle{sameBytes}, true
	Run(t, s)
}
