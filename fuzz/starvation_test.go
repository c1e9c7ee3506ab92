package fuzz

import (
	"bytes"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// lineModel answers each line with the same line.
var lineModel = Model[struct{}, string]{
	Input: func(in []byte) (string, int, bool) {
		n := bytes.IndexByte(in, '\n') + 1
		return string(in[:n]), n, n > 0
	},
	Step: func(_ *struct{}, in string) string { return in },
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
	return Spec{Dict: []string{"x", "\n", string(make([]byte, 1500)) + "\n", string(make([]byte, 1500))}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
}

// No machine of these starves.
func TestScarceBuffers(t *testing.T) {
	for name, s := range map[string]Spec{"echo": echoSpec(), "carrier": carrierSpec(), "lines": linesSpec()} {
		for seed := range uint64(4) {
			if found := Find(s, seed, Budget{Runs: 1000}); found.Failure != nil {
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
