package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// firstLine is the Input of a Model whose inputs are lines.
func firstLine(in []byte) (line string, n int, ok bool) {
	n = bytes.IndexByte(in, '\n') + 1
	return string(in[:n]), n, n > 0
}

// lineModel answers each line with the same line.
var lineModel = Model[struct{}, string]{
	Input: firstLine,
	Step:  func(_ *struct{}, in string) string { return in },
}

// linesSpec has a machine that answers each line with the same line, and waits while there
// is no room.
func linesSpec() Spec {
	k := reactor.Must(reactor.NewKind("lines", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		{Name: "reading", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			if err != nil {
				return cx.Fail(err)
			}
			n := bytes.IndexByte(in, '\n') + 1
			if n == 0 || cx.Write(peer, in[:n]) != nil {
				return fsm.Stay // refused: the line is shown again when there is room
			}
			cx.Discard(peer, n)
			return fsm.Stay
		}}}))
	return Spec{Pressure: true, Dict: []string{"x", "\n", string(make([]byte, 1500)) + "\n", string(make([]byte, 1500))}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
}

// No machine of these starves.
func TestScarceBuffers(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Spec{"echo": echoSpec(), "carrier": carrierSpec(), "lines": linesSpec()} {
		s.Pressure = true
		for seed := range uint64(testenv.Pick(1, 2)) {
			if found := Find(s, seed, Budget{Runs: testenv.Pick(300, 1000)}); found.Failure != nil {
				t.Errorf("%s, seed %d, after %d runs: %s", name, seed, found.Runs, found.Explain())
			}
		}
	}
}

// A line that fits into what a machine may hold, if that is moved to its begin, does not end
// the machine, however the input was cut.
func TestLongLineInFewBuffers(t *testing.T) {
	tr, err := trace.Parse("dial 0\nsend 0 word=2 hold\nclose 1\nsend 0 word=2 hold\nsend 0 word=3 hold\nsend 0 word=2\nscarce KiB=0\n")
	if err != nil {
		t.Fatal(err)
	}
	s := linesSpec()
	s.Oracles = []Oracle{PerConn("lines", lineModel)}
	e := newEngine(s)
	if f := e.judge.Run(tr); f != nil {
		t.Error(f)
	}
	if got := len(e.world.Conn(0).Got); got != 1501+1501+3001 {
		t.Errorf("%d bytes of answers: want all lines", got)
	}
}

// counterSpec has a machine that counts lines, and answers each with its number. If twice, it
// counts a line before Write refuses the answer, and again when there is room.
func counterSpec(twice bool) Spec {
	type counter struct{ lines int }
	k := reactor.Must(reactor.NewKind("counter", reactor.Options{Ports: []string{"peer"}}, reactor.Table[counter, reactor.None]{
		{Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		{Name: "counting", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(c *counter, cx *echoCx, _ reactor.Ready) reactor.State {
			in, err := cx.Peek(peer)
			if err != nil {
				return cx.Fail(err)
			}
			n := bytes.IndexByte(in, '\n') + 1
			if n == 0 {
				return fsm.Stay
			}
			if err := cx.Write(peer, fmt.Appendf(nil, "so far you have sent %d lines\n", c.lines+1)); errors.Is(err, reactor.ErrFull) {
				if twice {
					c.lines++
				}
				return fsm.Stay
			} else if err != nil {
				return cx.Fail(err)
			}
			c.lines++
			cx.Discard(peer, n)
			return fsm.Stay
		}}}))
	return Spec{Pressure: true, Dict: []string{"INCR\n", "INCR twice\n", "IN"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", counter{})
		return err
	}}
}

// A peer that reads late gets what one that reads at once gets.
func TestSlowPeers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(testenv.Pick(1, 3)) {
		found := Find(counterSpec(true), seed, Budget{Runs: 1000})
		if found.Failure == nil || found.Failure.Oracle != judge.SlowPeers || len(found.Trace) > 2 {
			t.Errorf("seed %d, after %d runs: %v of\n%s", seed, found.Runs, found.Failure, found.Trace)
		}
		if again := Replay(counterSpec(true), found.Trace); again.Failure == nil {
			t.Errorf("the trace passes when it is run again:\n%s", found.Trace)
		}
		if right := Find(counterSpec(false), seed, Budget{Runs: testenv.Pick(300, 1000)}); right.Failure != nil {
			t.Errorf("seed %d: %s", seed, right.Explain())
		}
	}
}

// A machine whose Write was refused is shown its input again, also if more of it has come than
// there is room for.
func TestRefusedWriteAndMoreInput(t *testing.T) {
	tr, err := trace.Parse("dial 0\nsend 0 word=2\ndial 1\nsend 1 word=1 more=373\nscarce KiB=0\n")
	if err != nil {
		t.Fatal(err)
	}
	if found := Replay(counterSpec(false), tr); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// A machine that has seen the end of both of its connections must not wait for Idle.
func TestLateEnd(t *testing.T) {
	s := carrierSpec()
	if found := Find(s, 1, Budget{Runs: 500}); found.Failure != nil {
		t.Error(found.Explain())
	}
	k := reactor.Must(reactor.NewKind("deaf", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
			if _, err := cx.Copy(peer, peer); err != io.EOF {
				return cx.Fail(err)
			}
			return fsm.Stay
		}}}))
	s = Spec{Dict: []string{"hello"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
	if found := Find(s, 1, Budget{Runs: 100}); found.Failure == nil || found.Failure.Oracle != judge.LateEnd {
		t.Errorf("%v: want %s", found.Failure, judge.LateEnd)
	}
	s.Without = LateEnd
	if found := Find(s, 1, Budget{Runs: 500}); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// A machine whose dial is not answered yet has output to send, and may wait for that.
func TestLateEndOfADial(t *testing.T) {
	k := reactor.Must(reactor.NewKind("shipper", reactor.Options{Ports: []string{"client", "upstream"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "shipping", Wait: client.Readable().While(upstream.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnEnter: func(_ *struct{}, cx *echoCx) reactor.State { return cx.Fail(cx.Dial(upstream, "tcp", "10.0.0.1:80")) },
			OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
				_, err := cx.Copy(upstream, client)
				return cx.Fail(err)
			}}}))
	s := Spec{Dict: []string{strings.Repeat("x", 9000)}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
	tr, err := trace.Parse("connect-fails 0 how=1\ndial 0\nsend 0 more=6\nsend 0 more=7\n")
	if err != nil {
		t.Fatal(err)
	}
	if f := newEngine(s).judge.Run(tr); f != nil {
		t.Error(f)
	}
}

// A machine that has much held input, and whose output waits, is no livelock, although no byte
// moves while it works.
func TestHeldInputIsHandled(t *testing.T) {
	text := "scarce KiB=28\ndial 1\npace 1\nwindow 1\nsend 1 word=0 more=3588\n" + strings.Repeat("send 1 word=1 more=4095\n", 17) + "dial 0\n"
	tr, err := trace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if f := newEngine(linesSpec()).judge.Run(tr); f != nil {
		t.Error(f)
	}
}
