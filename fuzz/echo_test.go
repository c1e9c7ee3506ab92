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
			Idle: fsm.After(time.Minute, fsm.Stop), Ready: (*echo).echo},
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
	w := newWorld(s.filled())
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
	if string(w.conns[0].got) != "hello" || string(w.conns[1].got) != string(w.conns[1].sent) {
		t.Errorf("got %q, %q", w.conns[0].got, w.conns[1].got)
	}
	if f := w.again(tr); f != nil {
		t.Error(f)
	}
}

// Once it is warm, a world allocates nothing for an event.
func TestEventsDoNotAllocate(t *testing.T) {
	s := echoSpec()
	w := newWorld(s.filled())
	if err := w.begin(nil); err != nil {
		t.Fatal(err)
	}
	defer w.tidy()
	w.do(trace.Event{Op: trace.Dial})
	events := trace.Trace{{Op: trace.Send}, {Op: trace.ShortRead, A: 1, B: 2}, {Op: trace.Send, A: 2}, {Op: trace.BlockWrite, A: 1},
		{Op: trace.Spurious}, {Op: trace.Permute, A: 3}, {Op: trace.Send, A: 1}, {Op: trace.Advance, A: 3, B: 1}}
	step := func() {
		for _, e := range events {
			w.do(e)
		}
		c := &w.conns[0]
		c.sent, c.got = c.sent[:0], c.got[:0]
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations for %d events: want 0", n, len(events))
	}
	if w.failure != nil {
		t.Error(w.failure)
	}
}

// byteReader reads one byte a call, and counts calls.
func byteReader(calls *int) *reactor.Kind[struct{}, reactor.None] {
	return reactor.Must(reactor.NewKind("counting", reactor.Options{Ports: []string{"peer"}}, reactor.Table[struct{}, reactor.None]{
		{},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Second, fsm.Stop),
			Ready: func(_ *struct{}, cx *echoCx, _ reactor.Ready) fsm.State {
				var b [1]byte
				*calls++
				_, err := cx.Read(peer, b[:])
				return cx.Fail(err)
			}}}))
}
