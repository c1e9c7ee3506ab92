package fuzz

import (
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// A failure that only a further run shows, here that with untrue events, is shrunk by
// such runs.
func TestShrinkWithFurtherRuns(t *testing.T) {
	k := reactor.Must(reactor.NewKind("trusting", reactor.Options{Ports: []string{"peer"}}, reactor.Table[bool, reactor.None]{
		{},
		{Name: "reading", Wait: peer.Readable(), Idle: fsm.After(time.Minute, fsm.Stop),
			Ready: func(spoken *bool, cx *echoCx, _ reactor.Ready) fsm.State {
				var b [64]byte
				_, err := cx.Read(peer, b[:])
				if err == reactor.ErrWouldBlock && *spoken {
					panic("nothing came")
				}
				*spoken = true
				return cx.Fail(err)
			}}}))
	s := Spec{Dict: []string{"hello"}, Without: "C", Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", false)
		return err
	}}
	tr, err := Parse(`
		dial 1 listener=0
		dial 0 listener=0
		send 1 word=0 more=0
		send 0 word=0 more=0
		advance n=1 unit=1
		dial 2 listener=0
		send 2 word=0 more=0
		send 0 word=0 more=0
	`)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(s.filled())
	if f := w.check(tr, false); f != nil {
		t.Fatalf("without further runs: %v: want nothing", f)
	}
	f := w.check(tr, true)
	if f == nil {
		t.Fatal("nothing is found with further runs: want a panic")
	}
	if short, again := w.shrink(tr, f); len(short) > 2 || !again.same(f) {
		t.Errorf("%d events, %v: want 2 at most\n%s", len(short), again, short)
	}
}
