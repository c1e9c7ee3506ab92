package fuzz

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// Right programs are not accused.

// worker does nothing.
type worker struct{}

func workerKind() *reactor.Kind[worker, string] {
	return reactor.Must(reactor.NewKind("worker", reactor.Options{}, reactor.Table[worker, string]{
		{Shutdown: fsm.Stop},
		{Name: "working", Idle: fsm.Never, OnMessage: func(*worker, *reactor.Context[string], *string) reactor.State { return fsm.Stay }}}))
}

// Setup needs slots of its own, which no fault takes away.
func TestSetupThatSpawns(t *testing.T) {
	k := workerKind()
	s := echoSpec()
	listens := s.Setup
	s.Setup = func(w *World) error {
		for range 3 {
			if _, err := k.Spawn(w.Loop(0), worker{}); err != nil {
				return err
			}
		}
		return listens(w)
	}
	if found := Find(s, 1, Budget{Runs: 1000}); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// Several loops may listen at one address.
func TestReusePort(t *testing.T) {
	k := reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}, ReusePort: true}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "echoing", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			_, err := cx.Copy(peer, peer)
			return cx.Fail(err)
		}}}))
	found := Find(Spec{Loops: 2, Dict: []string{"word"}, Setup: func(w *World) error {
		for i := range w.Loops() {
			if _, err := k.Listen(w.Loop(i), "tcp", ":7000", struct{}{}); err != nil {
				return err
			}
		}
		return nil
	}}, 1, Budget{Runs: 300})
	if found.Failure != nil {
		t.Error(found.Explain())
	}
}

// liner passes lines on.
type liner struct{ to reactor.Ref[string] }

func (l *liner) line(cx *echoCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	n := bytes.IndexByte(in, '\n') + 1
	if n == 0 {
		return fsm.Stay
	}
	if l.to.Post(&cx.IO, string(in[:n])) != nil {
		return fsm.Stay // called again when there is room
	}
	cx.Discard(peer, n)
	return fsm.Stay
}

// Input that a machine holds, and works on a piece at a time, is movement.
func TestManyLinesInOneRead(t *testing.T) {
	to := workerKind()
	k := reactor.Must(reactor.NewKind("liner", reactor.Options{Ports: []string{"peer"}}, reactor.Table[liner, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable().While(fsm.Sendable), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*liner).line}}))
	s := Spec{Dict: []string{"\n"}, Setup: func(w *World) error {
		ref, err := to.Spawn(w.Loop(0), worker{})
		if err != nil {
			return err
		}
		_, err = k.Listen(w.Loop(0), "tcp", ":7000", liner{ref})
		return err
	}}
	tr, err := trace.Parse("limit slots=9 steps=1\ndial 0\nsend 0 word=0 more=4000\n")
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// A machine that answers lines, and waits while Config.Buffers has no room, is given time
// for its answers, by each kind of model.
func TestWaitingForBuffers(t *testing.T) {
	t.Parallel()
	for _, o := range []Oracle{PerConn("lines", lineModel), Linear("lines", lineModel)} {
		s := linesSpec()
		s.Pressure, s.Patience, s.Oracles = false, 2*time.Minute, []Oracle{o}
		if found := Find(s, 1, Budget{Runs: testenv.Pick(400, 1500)}); found.Failure != nil {
			t.Error(found.Explain())
		}
	}
}

// late answers each byte after a while.
type late struct{}

// Each kind of model waits for answers that take time.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	k := reactor.Must(reactor.NewKind("late", reactor.Options{Ports: []string{"peer"}}, reactor.Table[late, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(2), OnReady: func(_ *late, cx *echoCx, _ reactor.Ready) reactor.State {
			if _, err := cx.Peek(peer); err != nil {
				return cx.Fail(err)
			}
			return 2
		}},
		{Name: "thinking", Within: fsm.After(300*time.Millisecond, 3)},
		{Name: "answering", Within: fsm.After(time.Minute, fsm.Stop), To: fsm.To(1), OnEnter: func(_ *late, cx *echoCx) reactor.State {
			b, err := cx.Peek(peer)
			if err == nil {
				err = cx.Write(peer, b[:1])
			}
			if err != nil {
				return cx.Fail(err)
			}
			cx.Discard(peer, 1)
			return 1
		}}}))
	m := Model[struct{}, byte]{
		Input: func(in []byte) (byte, int, bool) { return in[0], 1, true },
		Step:  func(_ *struct{}, in byte) string { return string([]byte{in}) },
	}
	for _, o := range []Oracle{PerConn("bytes", m), Linear("bytes", m)} {
		found := Find(Spec{Oracles: []Oracle{o}, Dict: []string{"a", "bc"}, Without: HangUp,
			Setup: func(w *World) error {
				_, err := k.Listen(w.Loop(0), "tcp", ":7000", late{})
				return err
			}}, 1, Budget{Runs: testenv.Pick(150, 500)})
		if found.Failure != nil {
			t.Error(found.Explain())
		}
	}
}

// What a machine's own upstream does is not another connection's.
func TestIsolatedRelay(t *testing.T) {
	s := carrierSpec()
	s.Isolated = true
	if found := Find(s, 1, Budget{Runs: 1000}); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// tally counts what a peer sends until that half-closes, and says it then.
type tally struct{ bytes int }

// A peer waits while the machine's kernel has no room for what it sends, also if it has none
// at all.
func TestInputThatFillsTheKernel(t *testing.T) {
	k := reactor.Must(reactor.NewKind("tally", reactor.Options{Ports: []string{"peer"}}, reactor.Table[tally, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "counting", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(m *tally, cx *echoCx, _ reactor.Ready) reactor.State {
			var b [512]byte
			n, err := cx.Read(peer, b[:])
			if m.bytes += n; err == io.EOF {
				err = cx.Write(peer, fmt.Append(nil, m.bytes))
				return cx.Stop(err)
			}
			return cx.Fail(err)
		}}}))
	s := Spec{Dict: []string{string(make([]byte, 1<<10)), "behind it"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", tally{})
		return err
	}}
	tr, err := trace.Parse("send 0 word=0 more=63\nsend 0 word=1 more=0\n") // 64 KiB, and more
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// tee sends what one peer says on to another one, 1 KiB at a time, and confirms each.
type tee struct{}

// Output that a reset has dropped does not wait any more, so no Stall is due for it.
func TestStallAfterAReset(t *testing.T) {
	const to reactor.Port = 1
	k := reactor.Must(reactor.NewKind("tee", reactor.Options{Ports: []string{"from", "to"}, WriteBuffer: 2 << 10}, reactor.Table[tee, reactor.None]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		{Name: "passing", Wait: peer.Readable().While(to.Room()), Idle: fsm.After(time.Hour, fsm.Stop),
			OnEnter: func(_ *tee, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(to, "tcp", "10.0.0.1:1")) },
			OnReady: func(_ *tee, cx *echoCx, _ reactor.Ready) reactor.State {
				in, err := cx.Peek(peer)
				if err != nil {
					return cx.Fail(err)
				}
				in = in[:min(len(in), 1<<10)]
				if cx.Write(to, in) != nil {
					return fsm.Stay
				}
				cx.Discard(peer, len(in))
				return cx.Fail(cx.Write(peer, []byte(".")))
			}}}))
	s := Spec{Dict: []string{string(make([]byte, 16<<10))}, Without: Segmentation, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", tee{})
		return err
	}}
	tr, err := trace.Parse("dial 0\npace 0 bytes=0\nwindow 0 bytes=1 queue=0\npace 4 bytes=1000 ms=900\nwindow 4 bytes=1000 queue=0\nsend 0 word=0 more=1\nreset 0\nadvance n=20 unit=3\n")
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(s, tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}
