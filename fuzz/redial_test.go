package fuzz

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// redialler dials a server, answers "hello\n" by "hi\n", and takes anything else for a mistake
// of the server: it closes the connection, waits, and dials again. Its own mistake, if it makes
// one, is planted by wrong.
type redialler struct{ wrong string }

const (
	redialling = fsm.First + iota
	redialled
	redialWaits
)

const redialAddr = "10.0.0.1:7"

func redialSpec(wrong string, wait time.Duration, m Model[bool, string]) Spec {
	k := reactor.Must(reactor.NewKind("redialler", reactor.Options{Ports: []string{"peer"}}, reactor.Table[redialler, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Fail: redialWaits},
		redialling: {Name: "dialling", Wait: peer.Opened(), Within: fsm.After(5*time.Second, redialWaits), To: fsm.To(redialled),
			OnEnter: func(_ *redialler, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(peer, "tcp", redialAddr)) },
			OnReady: func(*redialler, *echoCx, reactor.Ready) reactor.State { return redialled }},
		redialled: {Name: "connected", Wait: peer.Readable().While(peer.Room()), Within: fsm.Never, Stall: fsm.After(time.Minute, redialWaits), OnReady: (*redialler).line, To: fsm.To(redialWaits)},
		redialWaits: {Name: "waiting", Within: fsm.After(wait, redialling), OnEnter: func(_ *redialler, cx *echoCx) reactor.State {
			cx.Close(peer)
			return fsm.Stay
		}},
	}))
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Spawn(w.Loop(0), redialler{wrong})
			return err
		},
		Dict: []string{"hello\n", "bye\n"}, WordsOnly: true, Without: LostOutput,
		Oracles: []Oracle{PerConn("greeting", m).At(redialAddr)},
	}
}

var errRedialler = errors.New("not a greeting")

func (r *redialler) line(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if strings.HasPrefix(r.wrong, "partial") {
		n = len(in)
	}
	switch {
	case n == 0:
		return fsm.Stay
	case string(in[:n]) == "hello\n":
		cx.Discard(peer, n)
		return cx.Fail(cx.Write(peer, []byte("hi\n")))
	case r.wrong == "partial, without a failure":
		return redialWaits
	}
	return cx.Fail(errRedialler)
}

// greeting is the model of a connection of a redialler.
var greeting = Model[bool, string]{
	Input: firstLine,
	Step: func(over *bool, in string) string {
		if *over = *over || in != "hello\n"; *over {
			return ""
		}
		return "hi\n"
	},
	Over: func(over bool) bool { return over },
}

// A machine that closes a connection that it dialled, and lives on, is judged as one that ends.
func TestRedial(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "partial", "partial, without a failure"} {
		spec := redialSpec(wrong, 100*time.Millisecond, greeting)
		spec.Without |= Segmentation
		found := Find(spec, 1, Budget{Runs: 1000})
		switch {
		case wrong == "" && found.Failure != nil:
			t.Error(found.Explain())
		case wrong != "" && (found.Failure == nil || found.Failure.Oracle != `model "greeting"` || !strings.Contains(found.Failure.Text, "its machine ")):
			t.Errorf("%s: %v", wrong, found)
		}
	}
}

// Without a model, the mistake shows in a comparison.
func TestRedialSegments(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "partial"} {
		spec := redialSpec(wrong, 100*time.Millisecond, greeting)
		spec.Oracles, spec.Faults = nil, trace.Weights{trace.ShortRead: 0}
		found := Find(spec, 1, Budget{Runs: 1000})
		switch {
		case wrong == "" && found.Failure != nil:
			t.Error(found.Explain())
		case wrong != "" && (found.Failure == nil || found.Failure.Oracle != "segmentation"):
			t.Errorf("%s: %v", wrong, found)
		}
	}
}

// A machine that never stops dialling, or sending, does not make a run endless.
func TestEndlessRuns(t *testing.T) {
	begin := time.Now()
	refused := redialSpec("", time.Millisecond, greeting) // by what the server says first
	refused.Backends = []Backend{Serve(redialAddr, Model[bool, string]{Greeting: "bye\n", Input: firstLine, Step: func(*bool, string) string { return "" }})}
	if found := Replay(refused, trace.Trace{{Op: trace.Advance, A: 9, B: 4}}); found.Failure != nil || found.Undecided != 1 {
		t.Error(found.Undecided, found.Explain())
	}
	spec := redialSpec("partial", time.Nanosecond, greeting)
	found := Find(spec, 1, Budget{Time: time.Second})
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("dialling took %v", took)
	}
	if found.Failure == nil {
		t.Error(found)
	}
	begin = time.Now()
	always := beats
	always.Owes = func(spoken, Moment) bool { return true }
	found = Find(tellerSpec("beats", fsm.Never, []string{"x"}, always), 1, Budget{Time: time.Second})
	if took := time.Since(begin); found.Failure == nil || took > 20*time.Second {
		t.Errorf("beats took %v: %v", took, found)
	}
}
