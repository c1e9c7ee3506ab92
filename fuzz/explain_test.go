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

// panicky is an echo that does not like empty lines.
func panicky() Spec {
	k := reactor.Must(reactor.NewKind("panicky", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[faulty, reactor.None]{{}, {Name: "echoing", Wait: peer.Readable(), Idle: fsm.After(1e9, fsm.Stop), Ready: (*faulty).ready}}))
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", faulty{how: faults[0].how})
			return err
		},
		Dict: []string{"word", "\n"},
	}
}

// What is told of a failure is enough to understand it, and to see it again.
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
		"sequenceDiagram\n",
		`    c0->>machines: sends "\n"`,
		`    c0-->>machines: reads "\n"`,
		"find_test.go", // the stack
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	tr, err := trace.Parse(found.file())
	if err != nil {
		t.Fatalf("%v in:\n%s", err, found.file())
	}
	if again := Replay(panicky(), tr); !again.Failure.same(found.Failure) {
		t.Errorf("read from its file the trace gives %v: want %v", again.Failure, found.Failure)
	}
}

// A trace that failed once is run before all others.
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

// A trace that is kept says the same with a longer dictionary: words, single bytes, and
// the empty datagram.
func TestKeptTracesLast(t *testing.T) {
	tr, err := trace.Parse("dial 0\nsend 0 word=1\nsend 0 word=35\nsend 0 word=255 more=2\nabrupt 0 calls=9 what=4\nabrupt 0 calls=9 what=68\ndatagram 0 word=0\ndatagram 0 word=67\ndatagram 0 word=258\n")
	if err != nil {
		t.Fatal(err)
	}
	short := &World{spec: &Spec{Dict: []string{"a", "b"}}}
	long := &World{spec: &Spec{Dict: []string{"a", "b", "c"}}}
	kept, err := trace.Parse(trace.Dictionary(short.spec.Dict).Lasting(tr).String())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range kept {
		want := short.meaning(tr[i])
		if got := long.meaning(e); got != want || short.meaning(e) != want {
			t.Errorf("%v: kept as %v it is %s, and %s before: want %s", tr[i], e, got, short.meaning(e), want)
		}
	}
	const want = "dial 0 listener=0\nsend 0 word=1 more=0\nsend 0 byte=33 more=0\nsend 0 byte=253 more=2\n"
	if text := kept.String(); !strings.HasPrefix(text, want) {
		t.Errorf("written as:\n%swant:\n%s", text, want)
	}
	found := Find(Spec{Setup: bombSpec().Setup, Dict: []string{"0", "1", "2", "3", "4"}}, 1, Budget{Runs: 3000})
	if found.Failure == nil || !strings.Contains(found.file(), "send 0 byte=33 ") {
		t.Errorf("%v: want a trace that ends with a single byte:\n%s", found, found.Trace)
	}
}

// Every event is written so that it can be read, and whatever the bytes, they are a
// trace that a world runs.
func TestFormats(t *testing.T) {
	var all trace.Trace
	for op := range trace.NumOps {
		e := trace.Event{Op: op, Hold: op%2 == 0}
		if op.Target() != trace.OnNothing {
			e.On = 3
		}
		a, b := op.Args()
		if a != "" {
			e.A = 65535
		}
		if b != "" {
			e.B = 7
		}
		all = append(all, e)
	}
	read, err := trace.Parse(all.String())
	if err != nil || read.String() != all.String() {
		t.Errorf("%v; read:\n%s\nwant:\n%s", err, read, all)
	}
	for _, bad := range []string{"fly 1", "dial x", "dial 0 listener=70000", "dial 0 height=3", "dial 0 1", "dial 0 listener=1 listener=2", "settle =5", "dial 0 hold hold", "send 0 word=1 byte=2", "send 0 byte=256", "dial 0 byte=2"} {
		if _, err := trace.Parse(bad); err == nil {
			t.Errorf("%q is a trace", bad)
		}
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

// Events are told as what they do: arguments that are raised to one are one, one is no
// plural, and numbers that stand for words are words.
func TestEventsAreTold(t *testing.T) {
	w := &World{spec: &Spec{Dict: []string{"1 bytes"}}, actions: []action{{name: "1 bytes"}}}
	for text, want := range map[string]string{
		"short-read 0":                     "connection 0 is read 1 byte at a time, once",
		"short-write 0 bytes=2 times=7":    "connection 0 takes 2 bytes of a write, 7 times",
		"split 1 bytes=1 times=65535":      "connection 1 sends in pieces of 1 byte, each time",
		"abrupt 0 calls=1 what=0":          "connection 0 acts before the next read or write of its machine: it is reset",
		"abrupt 0 calls=11 what=3":         `connection 0 acts before the 11-th next read or write of its machine: it sends "1 bytes"`,
		"datagram-fails 0 how=1 times=2":       "datagrams of loop 0, the next 2, come twice",
		"connect-fails 0 how=1":            "connecting fails on loop 0, once: no answer comes",
		"pace 0 bytes=65535":               "connection 0 reads at once",
		"pace 0 bytes=3":                   "connection 0 does not read",
		"pace 0 bytes=3 ms=2":              "connection 0 reads 3 bytes each 2 ms",
		"turn 0 times=0":                   "loop 0 alone takes 1 turn",
		"send 0 word=0 more=1":             `connection 0 sends 2 times "1 bytes"`,
		"act 0 arg=1":                      `action "1 bytes" happens with 1`,
		"act 0 arg=65535 more=65535":       `action "1 bytes" happens with 65535, 65536 times`,
		"act 1 arg=1":                      "action 1 happens with 1",
		"accept-fails 0 error=0 times=300": "accepting fails on loop 0, 300 times: " + acceptErrors[0].Error(),
	} {
		tr, err := trace.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.meaning(tr[0]); got != want {
			t.Errorf("%s is %s: want %s", text, got, want)
		}
	}
}
