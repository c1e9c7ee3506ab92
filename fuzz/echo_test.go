package fuzz

import (
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

const peer reactor.Port = 0

const echoing = fsm.First

type (
	echo   struct{}
	echoCx = reactor.Context[reactor.None]
)

var echoKind = reactor.Must(reactor.NewKind("echo", reactor.Options{Ports: []string{"peer"}},
	reactor.Table[echo, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		echoing: {Name: "echoing", Wait: peer.Readable().While(peer.Room()),
			Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*echo).echo},
	}))

func (c *echo) echo(cx *echoCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err == nil {
		err = cx.Write(peer, in)
	}
	if err != nil {
		return cx.Fail(err)
	}
	cx.Discard(peer, len(in))
	return fsm.Stay
}

func echoSpec() Spec {
	return Spec{
		Setup: func(w *World) error {
			_, err := echoKind.Listen(w.Loop(0), "tcp", ":7000", echo{})
			return err
		},
		Dict: []string{"hello", "\r\n", "a longer word than the others are"},
	}
}

func TestEchoRuns(t *testing.T) {
	s := echoSpec()
	w := newEngine(s)
	tr, err := trace.Parse(`
		dial 0 listener=0
		send 0 word=0 more=0
		dial 1 listener=0
		short-read 1 bytes=1 times=3
		send 1 word=2 more=3
		advance n=5 unit=3
		finish 0
	`)
	if err != nil {
		t.Fatal(err)
	}
	if f := w.run(tr); f != nil {
		t.Error(f)
	}
	if w.got(0) != "hello" || w.got(1) != string(w.world.Conn(1).Sent) {
		t.Errorf("got %q, %q", w.world.Conn(0).Got, w.world.Conn(1).Got)
	}
	first := w.world.Sum()
	if f := w.run(tr); f != nil || w.world.Sum() != first {
		t.Errorf("a second run of the trace: %v, digest %x: want %x", f, w.world.Sum(), first)
	}
}

// After some runs, an event allocates nothing.
func TestEventsDoNotAllocate(t *testing.T) {
	s := echoSpec()
	w := newEngine(s)
	if err := w.begin(nil); err != nil {
		t.Fatal(err)
	}
	defer w.world.Cleanup()
	w.world.Do(trace.Event{Op: trace.Dial})
	events := trace.Trace{{Op: trace.Send}, {Op: trace.ShortRead, A: 1, B: 2}, {Op: trace.Send, A: 2}, {Op: trace.BlockWrite, A: 1},
		{Op: trace.Spurious}, {Op: trace.Permute, A: 3}, {Op: trace.Send, A: 1}, {Op: trace.Advance, A: 3, B: 1}}
	step := func() {
		for _, e := range events {
			w.world.Do(e)
		}
		c := w.world.Conn(0)
		c.Sent, c.Got = c.Sent[:0], c.Got[:0]
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations for %d events: want 0", n, len(events))
	}
	if w.judge.Failure() != nil {
		t.Error(w.judge.Failure())
	}
}
