package fuzz

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// sameBytes is the model of an echo.
var sameBytes = PerConn("echo", Model[struct{}, byte]{
	Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
	Step:  func(_ *struct{}, b byte) string { return string([]byte{b}) },
})

func TestEchoPasses(t *testing.T) {
	s := echoSpec()
	s.Oracles, s.Isolated = []Oracle{sameBytes}, true
	found := Find(s, 1, Budget{Runs: testenv.Pick(500, 2000)})
	if found.Failure != nil {
		t.Fatalf("%v\n%s", found.Failure, found.Trace)
	}
}

// faulty is an echo with one mistake.
type faulty struct {
	how    func(*faulty, *echoCx, []byte) (int, reactor.State, error)
	shared *[]byte
	first  bool
}

func (c *faulty) ready(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		if c.how == nil {
			return fsm.Stay // at the end, too
		}
		return cx.Fail(err)
	}
	n, to, err := len(in), fsm.Stay, error(nil)
	if c.how != nil {
		n, to, err = c.how(c, cx, in)
	}
	if err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, n)
	return to
}

var allAnswers int // of all runs

var faults = []struct {
	name   string
	oracle string
	most   int // events of the shortest trace
	how    func(*faulty, *echoCx, []byte) (int, reactor.State, error)
}{
	{"panics at an empty line", judge.Panic, 3, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		if bytes.HasPrefix(in, []byte("\n")) {
			panic("an empty line")
		}
		return len(in), fsm.Stay, cx.Write(peer, in)
	}},
	{"goes where its table does not lead", judge.UndeclaredEdge, 2, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		return len(in), 3, nil
	}},
	{"stays when its peer is gone", judge.Quiescence, 1, nil},
	{"loses what the kernel does not take", `model "echo"`, 5, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		cx.WriteSome(peer, in)
		return len(in), fsm.Stay, nil
	}},
	{"answers each piece", judge.Segmentation, 2, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		return len(in), fsm.Stay, cx.Write(peer, []byte("piece,"))
	}},
	{"has one buffer for all", judge.Isolation, 5, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		if c.first {
			c.first = false
			cx.Write(peer, *c.shared)
			*c.shared = append((*c.shared)[:0], in[0])
		}
		return len(in), fsm.Stay, cx.Write(peer, in)
	}},
	{"depends on what was before", judge.Determinism, 2, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		allAnswers++
		return len(in), fsm.Stay, cx.Write(peer, strconv.AppendInt(nil, int64(allAnswers), 10))
	}},
	{"goes in circles", judge.Livelock, 2, func(c *faulty, cx *echoCx, in []byte) (int, reactor.State, error) {
		return 0, echoing, nil
	}},
}

// The right check finds each mistake, and the trace is shrunk to a few events.
func TestFaultsAreFound(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			idle := fsm.After(time.Minute, fsm.Stop)
			if f.how == nil {
				idle = fsm.Never
			}
			k := reactor.Must(reactor.NewKind("faulty", reactor.Options{Ports: []string{"peer"}},
				reactor.Table[faulty, reactor.None]{
					fsm.Any: {Shutdown: fsm.Stop},
					{Name: "echoing", Wait: peer.Readable().While(peer.Room()), Idle: idle, OnReady: (*faulty).ready, To: fsm.To(2)},
					{Name: "second", Within: idle, To: fsm.To(3)},
					{Name: "third", Within: fsm.After(time.Second, fsm.Stop)},
				}))
			s := echoSpec()
			s.Dict = append(s.Dict, "\n")
			s.Setup = func(w *World) error {
				_, err := k.Listen(w.Loop(0), "tcp", ":7000", faulty{how: f.how, shared: new([]byte), first: true})
				return err
			}
			s.Isolated = f.oracle == judge.Isolation
			if f.oracle == `model "echo"` {
				s.Oracles = []Oracle{sameBytes}
			}
			found := Find(s, 2, Budget{Runs: 4000})
			if found.Failure == nil {
				t.Fatalf("not found in %d runs", found.Runs)
			}
			t.Logf("%d runs: %v\n%s", found.Runs, found.Failure, found.Trace)
			if found.Failure.Oracle != f.oracle {
				t.Errorf("found by %s: want %s", found.Failure.Oracle, f.oracle)
			}
			if len(found.Trace) > f.most {
				t.Errorf("%d events: want %d at most", len(found.Trace), f.most)
			}
		})
	}
}

// After a write that would block, the socket gets an event once there is room, even if the
// window changed in between.
func TestBlockedWriteIsToldOfRoom(t *testing.T) {
	s := echoSpec()
	s.Oracles = []Oracle{sameBytes}
	tr, err := trace.Parse(`
		dial 0 listener=0
		pace 0 bytes=0 ms=0
		send 0 word=0 more=0
		block-write 0 times=1
		window 0 bytes=1 queue=0
		send 0 word=1 more=0
	`)
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// chatter writes to its peer and sends itself a message, again and again.
type chatter struct{}

type chatCx = reactor.Context[int]

func (*chatter) ready(cx *chatCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, len(in))
	return cx.Fail(cx.Self().Post(&cx.IO, 0))
}

func (*chatter) again(cx *chatCx, n *int) reactor.State {
	if err := cx.Write(peer, []byte("x")); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Self().Post(&cx.IO, *n+1))
}

// Machines that keep each other busy for ever are a failure, however much they write. The
// failure is found and shrunk in a bounded number of turns.
func TestChatterIsFound(t *testing.T) {
	t.Parallel()
	k := reactor.Must(reactor.NewKind("chatter", reactor.Options{Ports: []string{"peer"}}, reactor.Table[chatter, int]{
		{Shutdown: fsm.Stop},
		{Name: "talking", Wait: peer.Readable(), Idle: fsm.Never, OnReady: (*chatter).ready, OnMessage: (*chatter).again},
	}))
	found := Find(Spec{
		Dict: []string{"a"},
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":1", chatter{})
			return err
		},
	}, 1, Budget{Runs: 100})
	if found.Failure == nil || found.Failure.Oracle != judge.Livelock {
		t.Fatalf("%v: want R", found)
	}
	if len(found.Trace) > 2 {
		t.Errorf("%d events: want 2 at most\n%s", len(found.Trace), found.Trace)
	}
}

// A machine that sends much for little input, to a peer with little room, is busy for a
// long time and does not chatter.
func TestMuchOutputIsNoChatter(t *testing.T) {
	answer := make([]byte, 1700)
	s := readingSpec(func() struct{} { return struct{}{} }, func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
		if _, err := cx.Peek(peer); err != nil {
			return cx.Fail(err)
		}
		cx.Discard(peer, 1)
		return cx.Fail(cx.Write(peer, answer))
	})
	s.Dict, s.Without = []string{string(make([]byte, 10_000))}, Segmentation|HangUp|SpuriousEvents
	tr, err := trace.Parse("dial 0\nwindow 0 bytes=1 queue=0\nsend 0\n")
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Failure)
	}
}

// A machine whose output waits for room gets an event when the kernel's buffer grows.
func TestWindowThatGrows(t *testing.T) {
	tr, err := trace.Parse("dial 0\npace 0 bytes=0\nwindow 0 bytes=1 queue=0\nsend 0\nwindow 0 bytes=1 queue=1\n")
	if err != nil {
		t.Fatal(err)
	}
	s := echoSpec()
	s.Dict = []string{"abc"}
	if text := Show(s, tr); strings.Count(text, "machine writes") < 2 {
		t.Errorf("want one more write as there is room:\n%s", text)
	}
}
