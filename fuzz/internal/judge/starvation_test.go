package judge

import (
	"testing"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// A machine that holds all of its input, in few Buffers, ends by the error that is judged. As
// it does so alone, too, that is right.
func TestChoked(t *testing.T) {
	const peer reactor.Port = 0
	k := reactor.Must(reactor.NewKind("hoarder", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "hoarding", Wait: peer.Readable(), Idle: fsm.Never, OnReady: func(_ *struct{}, cx *reactor.Context[reactor.None], _ reactor.Ready) reactor.State {
			_, err := cx.Peek(peer)
			return cx.Fail(err)
		}}}))
	w := sim.New(sim.Config{Loops: 1, Conns: 2, Loop: reactor.Config{Slots: 9}, Dict: trace.Dictionary{string(make([]byte, 9000))}, Setup: func(w *sim.World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}})
	j := New(w, Config{Conns: 2, Pressure: true})
	tr := trace.Trace{{Op: trace.Dial, On: 1}, {Op: trace.Dial}, {Op: trace.Send}, {Op: trace.Scarce}}
	if f := j.Run(tr); f != nil || j.choked.failure == nil || j.choked.failure.Conn != 0 {
		t.Errorf("%v, choked: %v: want connection 0 choked", f, j.choked.failure)
	}
	if f := j.Check(tr, false, nil); f != nil {
		t.Error(f)
	}
}
